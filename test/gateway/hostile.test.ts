import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ATTACKS, begin } from "../../bench/hostile/attacks.mjs";
import { startService } from "../../bench/hostile/service.mjs";
import { askEvenly } from "../../bench/hostile/users.mjs";
import { DEFAULT_LIMITS } from "../../src/gateway/options.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { systemClock } from "../../src/fence/system.ts";
import { aDocument, aGateway, eventually } from "./world.ts";

/** Enough to take every connection and every place of these limits several times over. */
const HOSTILE = 200;
const LIMITS = { connectionsPerEndpoint: 32, waitingPerEndpoint: 64 };

let service: Server;
let gateway: Gateway;
let port: number;
beforeAll(async () => {
  service = await startService();
  gateway = await aGateway(aDocument(`http://127.0.0.1:${(service.address() as AddressInfo).port}`, null), {
    limits: LIMITS,
  });
  port = Number(new URL(gateway.url).port);
});
afterAll(async () => {
  await gateway.drain();
  service.closeAllConnections();
  service.close();
});

// Elsewhere a machine has one loopback address, and users and attackers would be one client.
describe.runIf(process.platform === "linux")("beside hostile clients", () => {
  it("has attacks that come from addresses of their own", () => {
    expect(new Set(ATTACKS.map(({ from }) => from)).size).toBe(ATTACKS.length);
    expect(HOSTILE).toBeLessThan(DEFAULT_LIMITS.clientConnections);
  });

  it.each(ATTACKS.map((attack) => [attack.name, attack] as const))(
    "users are served, and what one client holds is bounded: %s",
    async (_name, attack) => {
      const before = gateway.stats();
      const running = begin({ ...attack, connections: Math.min(attack.connections, HOSTILE), size: 50_000 }, port);
      await eventually(() => running.stats().opened >= Math.min(attack.connections, HOSTILE));
      await systemClock.sleep(500);
      const { failures } = await askEvenly({ port, seconds: 1, perSecond: 50, patienceMs: 40_000 });
      const { inFlight, gatewayFailures } = gateway.stats();
      running.stop();
      expect(failures).toEqual({});
      // All the attacker may run and wait for, and what users had under way.
      expect(inFlight).toBeLessThanOrEqual(LIMITS.connectionsPerEndpoint + LIMITS.waitingPerEndpoint);
      expect(gatewayFailures - before.gatewayFailures).toBeLessThanOrEqual(HOSTILE);
      expect(await eventually(() => gateway.stats().inFlight === 0)).toBe(true);
    },
  );
});
