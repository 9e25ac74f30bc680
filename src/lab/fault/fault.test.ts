import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { httpFaultAgent } from "../../drivers/fault/http/index.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { createServer as httpServer } from "node:http";
import { indexDouble } from "./index-double.ts";
import { agentServer } from "./agent-server.ts";
import { leasedAgent } from "./leased-agent.ts";
import { faultProxy } from "./tcp-proxy.ts";

const { signal } = new AbortController();
const DARK = { kind: "blackhole" } as const;
const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

function breakable() {
  const set: (string | null)[] = [];
  return {
    kinds: ["blackhole"] as const,
    set: (fault: { kind: string } | null) => void set.push(fault?.kind ?? null),
    told: set,
  };
}

describe("an agent with a dead man's timer", () => {
  it("ends a fault that nobody renews within its lease, and never begins one again by a renewal", async () => {
    const [clock, thing] = [manualClock(), breakable()];
    const agent = leasedAgent(thing, clock);
    await agent.apply("d/1", DARK, 5_000, signal);
    await clock.advance(4_000);
    expect(await agent.renew("d/1", 5_000, signal)).toEqual({ faultId: "d/1", leaseLeftMs: 5_000 });
    await clock.advance(4_999);
    expect(thing.told).toEqual(["blackhole"]);
    await clock.advance(1);
    expect(thing.told).toEqual(["blackhole", null]);
    expect(await agent.renew("d/1", 5_000, signal)).toEqual({ faultId: null, leaseLeftMs: 0 });
    await clock.advance(10_000);
    expect(thing.told).toEqual(["blackhole", null]);
  });

  it("has one fault at a time, refuses a lease that is too long and a kind it has not, and reverts its own alone", async () => {
    const [clock, thing] = [manualClock(), breakable()];
    const agent = leasedAgent(thing, clock);
    await expect(agent.apply("d/1", DARK, 30_001, signal)).rejects.toThrow("at most 30000");
    await expect(agent.apply("d/1", { kind: "reroute" }, 1_000, signal)).rejects.toThrow("this agent has blackhole");
    expect(thing.told).toEqual([]);
    await agent.apply("d/1", DARK, 5_000, signal);
    await agent.apply("d/1", DARK, 5_000, signal);
    await expect(agent.apply("d/2", DARK, 5_000, signal)).rejects.toThrow("d/1 is in force here");
    expect((await agent.revert("d/2", signal)).faultId).toBe("d/1");
    expect([(await agent.revert("d/1", signal)).faultId, thing.told]).toEqual([null, ["blackhole", null]]);
  });
});

/** A region that says what it hears, and the proxy before it, asked over HTTP. */
async function region() {
  const clock = manualClock();
  const echo = createServer((socket) => void socket.pipe(socket).on("error", () => {}));
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  const proxy = faultProxy({ host: "127.0.0.1", port: (echo.address() as AddressInfo).port }, () => 0.5);
  const port = await proxy.listen(0);
  const server = agentServer(leasedAgent(proxy, clock));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closes.push(
    () => echo.close(),
    () => server.close(),
    () => server.closeAllConnections(),
    () => proxy.close(),
  );
  const agent = httpFaultAgent(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return { agent, clock, open: () => client(port) };
}

async function client(port: number) {
  const socket: Socket = connect(port, "127.0.0.1");
  const heard: string[] = [];
  socket.on("data", (chunk) => void heard.push(String(chunk)));
  const ended = new Promise<string>((resolve) => {
    socket.on("error", (error) => resolve(String(error)));
    socket.on("close", () => resolve("closed"));
  });
  await Promise.race([once(socket, "connect"), ended]);
  closes.push(() => socket.destroy());
  const isHeard = async (text: string, withinMs: number) => {
    socket.write(text);
    for (let waited = 0; waited < withinMs && !heard.join("").includes(text); waited += 10)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return heard.join("").includes(text);
  };
  return { isHeard, ended };
}

describe("a proxy that breaks a region, over HTTP", () => {
  it("lets nothing through on connections that are open and new ones, until the lease is over; those are reset then", async () => {
    const { agent, clock, open } = await region();
    const before = await open();
    expect(await before.isHeard("one", 2_000)).toBe(true);
    expect(await agent.apply("d/1", DARK, 5_000, signal)).toEqual({ faultId: "d/1", leaseLeftMs: 5_000 });
    expect(await before.isHeard("two", 150)).toBe(false);
    expect(await (await open()).isHeard("three", 150)).toBe(false);
    await clock.advance(5_000);
    expect((await agent.status(signal)).faultId).toBeNull();
    await before.ended;
    expect(await (await open()).isHeard("four", 2_000)).toBe(true);
  });

  it("holds answers in a brownout, resets a share of new connections, and all of what leaves in a reroute", async () => {
    const { agent, open } = await region();
    await agent.apply("d/1", { kind: "brownout", delayMs: 1_000, errorShare: 0.4 }, 5_000, signal);
    const slow = await open();
    expect([await slow.isHeard("one", 150), await slow.isHeard("two", 5_000)]).toEqual([false, true]);
    await agent.revert("d/1", signal);
    await agent.apply("d/2", { kind: "brownout", delayMs: 0, errorShare: 0.6 }, 5_000, signal);
    await (await open()).ended;
    await agent.revert("d/2", signal);
    await agent.apply("d/3", { kind: "reroute" }, 5_000, signal);
    await slow.ended;
    await (await open()).ended;
    await expect(agent.apply("d/4", DARK, 5_000, signal)).rejects.toMatchObject({ code: "rejected" });
    await expect(agent.apply("d/3", { kind: "skew", field: "METRIC" }, 5_000, signal)).rejects.toMatchObject({
      code: "unsupported",
    });
  });
});

describe("a double before a region's health", () => {
  it.each(["METRIC", "ANALYZER", "INDEX_HASH"] as const)(
    "states another %s until the region is asked to build again",
    async (field) => {
      const own = { ready: true, METRIC: "cosine", ANALYZER: "standard", INDEX_HASH: "h1" };
      const asked: string[] = [];
      const behind = httpServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.end(JSON.stringify(own));
      });
      behind.listen(0, "127.0.0.1");
      await once(behind, "listening");
      const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
      const double = indexDouble(`http://127.0.0.1:${port(behind)}`, () => double.set(null));
      double.server.listen(0, "127.0.0.1");
      await once(double.server, "listening");
      for (const server of [behind, double.server])
        closes.push(
          () => server.close(),
          () => server.closeAllConnections(),
        );
      const at = `http://127.0.0.1:${port(double.server)}`;
      const states = async (): Promise<unknown> => (await fetch(`${at}/healthz`)).json();
      expect(await states()).toEqual(own);
      double.set({ kind: "skew", field });
      expect(await states()).toEqual({ ...own, [field]: "skewed-by-a-drill" });
      await (await fetch(`${at}/rebuild`, { method: "POST" })).text();
      expect([await states(), asked.includes("POST /rebuild")]).toEqual([own, true]);
    },
  );
});
