import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoutingDocument } from "../../../src/core/routing/document.ts";
import type { TelemetryWindow } from "../../../src/core/window/window.ts";
import { systemClock, systemRandom } from "../../../src/fence/system.ts";
import { type AgentOptions, HaproxyAgent } from "../../../src/haproxy/agent.ts";
import { freePort } from "../../free-port.ts";

/** An agent with a real HAProxy of its own, both ended by `end`. */
export interface RunningPlane {
  readonly agent: HaproxyAgent;
  readonly url: string;
  readonly windows: TelemetryWindow[];
  readonly runDir: string;
  end(): Promise<void>;
}

export async function startPlane(
  document: RoutingDocument,
  over: Partial<Omit<AgentOptions, "proxy">> & { readonly trustedProxies?: readonly string[] } = {},
): Promise<RunningPlane> {
  const { trustedProxies = [], ...options } = over;
  const runDir = await mkdtemp(join(tmpdir(), "sluice-haproxy-"));
  const windows: TelemetryWindow[] = [];
  const listen = { host: "127.0.0.1", port: await freePort() };
  const agent = await HaproxyAgent.start({
    service: document.service,
    document,
    clock: systemClock,
    random: systemRandom,
    gatewayId: "suite",
    onWindow: (window) => windows.push(window),
    ...options,
    proxy: { runDir, program: "haproxy", listen, threads: 1, trustedProxies },
  });
  return {
    agent,
    url: agent.url,
    windows,
    runDir,
    async end() {
      await agent.close();
      await endProxy(agent);
      await rm(runDir, { recursive: true, force: true });
    },
  };
}

/** Ends the master, which ends its workers. */
export async function endProxy(agent: HaproxyAgent): Promise<void> {
  const pid = await agent.proxyPid();
  if (pid === null) return;
  process.kill(pid, "SIGTERM");
  for (let looks = 0; looks < 200 && isAlive(pid); looks++) await systemClock.sleep(20);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
