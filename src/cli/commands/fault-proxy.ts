import type { AddressInfo } from "node:net";
import { systemClock } from "../../host/system-clock.ts";
import { agentServer } from "../../lab/fault/agent-server.ts";
import { indexDouble } from "../../lab/fault/index-double.ts";
import { leasedAgent } from "../../lab/fault/leased-agent.ts";
import { faultProxy } from "../../lab/fault/tcp-proxy.ts";
import type { FaultAgent } from "../../ports/fault-agent.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface FaultProxyOptions {
  /** Origin of the region. */
  readonly target: string;
  readonly listen: number;
  readonly agent: number;
  /** Stands before its health, with an index that can be skewed, and not before its traffic. */
  readonly health: boolean;
}

/** `sluice drill fault-proxy`: stands before one region until a signal ends it. One JSON line when it is ready. */
export async function faultProxyCommand(options: FaultProxyOptions, terminal: Terminal): Promise<ExitCode> {
  const { agent, port, close } = await (options.health ? beforeHealth(options) : beforeTraffic(options));
  const server = agentServer(agent);
  await new Promise<void>((resolve) => server.listen(options.agent, "127.0.0.1", resolve));
  const agentPort = (server.address() as AddressInfo).port;
  terminal.data(JSON.stringify({ url: `http://127.0.0.1:${port}`, agent: `http://127.0.0.1:${agentPort}/` }));
  return new Promise((resolve) => {
    const end = () => {
      server.close();
      server.closeAllConnections();
      void close().then(() => resolve(EXIT.ok));
    };
    process.once("SIGINT", end);
    process.once("SIGTERM", end);
  });
}

interface Standing {
  readonly agent: FaultAgent;
  readonly port: number;
  close(): Promise<void>;
}

async function beforeTraffic({ target, listen }: FaultProxyOptions): Promise<Standing> {
  const { hostname: host, port } = new URL(target);
  const proxy = faultProxy({ host, port: Number(port === "" ? 80 : port) }, Math.random);
  return { agent: leasedAgent(proxy, systemClock()), port: await proxy.listen(listen), close: () => proxy.close() };
}

async function beforeHealth({ target, listen }: FaultProxyOptions): Promise<Standing> {
  const { signal } = new AbortController();
  const double = indexDouble(target, () => {
    void agent.status(signal).then(({ faultId }) => (faultId === null ? undefined : agent.revert(faultId, signal)));
  });
  const agent = leasedAgent(double, systemClock());
  const { server } = double;
  await new Promise<void>((resolve) => server.listen(listen, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { agent, port: (server.address() as AddressInfo).port, close };
}
