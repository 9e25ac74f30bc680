import { join, resolve } from "node:path";
import { HaproxyAgent } from "../haproxy/agent.ts";
import { takeOrders } from "./gateway-orders.ts";
import { makeFolder } from "./make-folder.ts";
import { followerOf, followOwner, type ServeGatewayOptions } from "./serve-gateway.ts";

export interface ServeHaproxyOptions extends Omit<ServeGatewayOptions, "events"> {
  /** The program, by name or path. */
  readonly program: string;
  /** Threads of the proxy; null for one a core. */
  readonly threads: number | null;
}

/** Path of a Unix socket. @source unix(7): 108 bytes with the one that ends it */
const SOCKET_PATH_MAX = 107;

/**
 * Starts the agent of a document's service beside an HAProxy, which it starts where none runs, with everything of both
 * in the data directory.
 * @throws Error with a sentence when HAProxy cannot serve the document
 */
export async function serveHaproxy(options: ServeHaproxyOptions) {
  const { document, listen, dataDir, log, program, threads } = options;
  const { service, route } = document.spec;
  if (listen.port === 0) throw new Error("spec.route.listen has port 0; HAProxy needs a port of its own, e.g. 4000");
  const runDir = resolve(dataDir, `haproxy-${service}-${listen.port}`);
  const longest = join(runDir, "runtime.sock");
  if (Buffer.byteLength(longest) > SOCKET_PATH_MAX)
    throw new Error(`${longest} is too long for a socket (${SOCKET_PATH_MAX} bytes); choose a shorter --data`);
  const { follower, keys, contact } = await followerOf(options);
  await makeFolder(runDir);
  const proxy = { runDir, program, listen, threads, trustedProxies: route.trustedProxies ?? [] };
  const agent = await HaproxyAgent.start({ ...follower, proxy });
  void followOwner(agent, options, keys, contact);
  const takeNoMore = await takeOrders(agent, { dataDir, service, log });
  return {
    url: agent.url,
    proxyPid: () => agent.proxyPid(),
    stats: () => agent.stats(),
    overrideWith: (to: "stable" | null) => agent.overrideWith(to),
    close: () => takeNoMore().then(() => agent.close()),
  };
}
