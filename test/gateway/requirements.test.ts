import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { createRouter } from "../../src/edge/router.ts";
import { bp } from "../../src/core/unit.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { closedAfterEach, originsIn } from "./closed-after-each.ts";
import { aDocument, aGateway, eventually, get, type Origin } from "./world.ts";

const open = closedAfterEach();
const origin = originsIn(open);

async function gatewayOn(document: RoutingDocument, parts: Partial<GatewayOptions> = {}) {
  const made = await aGateway(document, parts);
  open.push(() => made.drain());
  return made;
}

/** An edge router whose origins are remembered requests. */
function edgeOn(document: RoutingDocument) {
  const seen: Request[] = [];
  const fetch = async (sent: Request) => {
    seen.push(sent);
    return new Response("ok");
  };
  const router = createRouter({ document, fetch });
  const ask = async (headers: HeadersInit) => {
    const response = await router.handle(new Request("https://rag.example.org/answer", { headers }));
    return response.headers.get("x-sluice-arm");
  };
  return { seen, ask };
}

/** A response that is read piece by piece; `end` says whether it came to its end. */
function streamed(url: string, headers: Record<string, string> = {}) {
  const pieces: string[] = [];
  const end = new Promise<"whole" | "cut">((resolve) => {
    const req = request(url, { headers }, (res) => {
      res.on("data", (piece) => pieces.push(String(piece)));
      res.on("end", () => resolve("whole"));
      res.on("error", () => resolve("cut"));
    });
    req.on("error", () => resolve("cut"));
    req.end();
  });
  return { pieces, end };
}

describe("assignment", () => {
  const headers = ["x-tenant-id", "x-user-id"];
  const at = (percent: number, stable = "http://127.0.0.1:9", candidate = "http://127.0.0.1:8") =>
    aDocument(stable, candidate, {
      candidateBp: bp(percent * 100),
      identity: { trustedHeaders: headers, stickyBy: headers },
    });

  it("RT-1, TP-1: one route, two origins: the bucket of a unit is the same on every node and after a restart", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const document = at(25, stable.url, candidate.url);
    const gateways = [await gatewayOn(document), await gatewayOn(document)];
    const edges = [edgeOn(document), edgeOn(document)];
    const byUnit = new Map<string, string | null>();
    for (let user = 0; user < 4_000; user++) {
      const unit = { "x-user-id": `user-${user}` };
      const arms = [];
      for (const edge of edges) arms.push(await edge.ask(unit));
      if (user % 50 === 0)
        for (const { url } of gateways) arms.push(String((await get(url, { headers: unit })).headers["x-sluice-arm"]));
      expect(new Set(arms).size).toBe(1);
      byUnit.set(unit["x-user-id"], arms[0] ?? null);
    }
    const share = [...byUnit.values()].filter((arm) => arm === "candidate").length / byUnit.size;
    expect(Math.abs(share - 0.25)).toBeLessThan(0.02);
    const hosts = new Set(edges[0]?.seen.map(({ url }) => new URL(url).host));
    expect(hosts).toEqual(new Set([stable.url, candidate.url].map((url) => new URL(url).host)));
    const restarted = edgeOn(document);
    for (const [unit, arm] of byUnit) expect(await restarted.ask({ "x-user-id": unit })).toBe(arm);
  });

  it("RT-1: users of one tenant go where their tenant goes, at every weight", async () => {
    for (const percent of [5, 50]) {
      const edge = edgeOn(at(percent));
      const arms = new Map<string, Set<string | null>>();
      for (let ask = 0; ask < 2_000; ask++) {
        const tenant = `tenant-${ask % 400}`;
        const arm = await edge.ask({ "x-tenant-id": tenant, "x-user-id": `user-${ask}` });
        arms.set(tenant, (arms.get(tenant) ?? new Set()).add(arm));
      }
      expect([...arms.values()].every((seen) => seen.size === 1)).toBe(true);
      const candidates = [...arms.values()].filter((seen) => seen.has("candidate")).length;
      expect(Math.abs(candidates / 400 - percent / 100)).toBeLessThan(0.05);
    }
  });

  it("RT-7: a stream with a pin goes to the pinned revision and stays, whatever the share is", async () => {
    const pieces = new Map<string, (text: string) => void>();
    const stream = (name: string) =>
      origin((_seen, res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write(`data: ${name}\n\n`);
        const others = pieces.get(name) ?? (() => {});
        pieces.set(name, (text) => {
          others(text);
          res.end(`data: ${text}\n\n`);
        });
      });
    const [stable, candidate] = [await stream("old"), await stream("new")];
    const verifyPin = (token: string) => {
      const arm = ({ signed: "candidate", old: "stable" } as const)[token] ?? null;
      return arm === null ? null : ({ arm, purpose: "user" } as const);
    };
    const document = aDocument(stable.url, candidate.url, { candidateBp: bp(0), drainMs: 5_000 });
    const gateway = await gatewayOn(document, { verifyPin });
    const pinned = streamed(gateway.url, { "x-user-id": "u1", "x-release-pin": "signed" });
    const unpinned = streamed(gateway.url, { "x-user-id": "u1", "x-release-pin": "forged" });
    const free = streamed(gateway.url, { "x-user-id": "u1" });
    await eventually(() => [pinned, unpinned, free].every((one) => one.pieces.length === 1));
    for (let seq = 2; seq < 12; seq++) gateway.adopt({ ...document, candidateBp: bp(seq * 900), seq });
    gateway.adopt({ ...document, candidateBp: bp(10_000), seq: 12 });
    const stays = streamed(gateway.url, { "x-user-id": "u1", "x-release-pin": "old" });
    await eventually(() => stays.pieces.length === 1);
    for (const [name, write] of pieces) write(`end of ${name}`);
    expect(await stays.end).toBe("whole");
    expect(stays.pieces).toEqual(unpinned.pieces);
    expect([await pinned.end, await unpinned.end, await free.end]).toEqual(["whole", "whole", "whole"]);
    expect(free.pieces).toEqual(unpinned.pieces);
    expect(pinned.pieces.join("")).toBe("data: new\n\ndata: end of new\n\n");
    expect(unpinned.pieces.join("")).toBe("data: old\n\ndata: end of old\n\n");
  });
});

describe("cache namespaces", () => {
  it.each([
    ["blue:", "green:"],
    ["v1:", "v2-cnr:"],
  ])(
    "CA-1, CA-3, CA-7, CA-8: %s and %s are told to every service, by edge and gateway, whatever a client says",
    async (...row) => {
      const [stable, candidate] = [await origin(), await origin()];
      const document = aDocument(stable.url, candidate.url, { drainMs: 200 });
      const [one, other] = [document.arms.stable, document.arms.candidate];
      if (other === null) throw new Error("there is a candidate");
      const split: RoutingDocument = {
        ...document,
        arms: { stable: { ...one, cachePrefix: row[0] }, candidate: { ...other, cachePrefix: row[1] } },
      };
      const [gateway, edge] = [await gatewayOn(split), edgeOn(split)];
      for (let user = 0; user < 40; user++) {
        const unit = user === 0 ? {} : { "x-user-id": `u${user}` };
        const headers = { ...unit, "x-cache-namespace": row[user % 2] ?? "" };
        await get(gateway.url, { headers });
        await edge.ask(headers);
      }
      const of = (arm: Origin) => new Set(arm.seen.map((seen) => seen.headers["x-cache-namespace"]));
      expect([of(stable), of(candidate)]).toEqual([new Set([row[0]]), new Set([row[1]])]);
      const port = (sent: Request) => new URL(sent.url).port;
      for (const sent of edge.seen) {
        const own = port(sent) === String(stable.port) ? row[0] : row[1];
        expect(sent.headers.get("x-cache-namespace")).toBe(own);
      }
      expect(new Set(edge.seen.map(port)).size).toBe(2);
      const shared = { ...split.arms, candidate: { ...other, cachePrefix: row[0] } };
      expect(gateway.adopt({ ...split, arms: shared, seq: 2 }).kind).toBe("refuse");
    },
  );
});

describe("the drain window", () => {
  it("DS-1, DS-3: what runs on a replaced revision is served until the window after its last route is over", async () => {
    const clock = manualClock();
    let say: (text: string) => void = () => {};
    const old = await origin((_seen, res) => {
      res.write("one ");
      say = (text) => void res.write(text);
    });
    const next = await origin();
    const document = aDocument(old.url, null, { drainMs: 60_000 });
    const gateway = await aGateway(document, { clock });
    const running = streamed(gateway.url);
    await eventually(() => running.pieces.length === 1);
    gateway.adopt({ ...aDocument(next.url, null, { drainMs: 60_000 }), seq: 2 });
    expect((await get(gateway.url)).status).toBe(200);
    expect([old.seen.length, next.seen.length]).toEqual([1, 1]);
    await clock.advance(59_000);
    say("two ");
    expect(await eventually(() => running.pieces.length === 2)).toBe(true);
    await clock.advance(1_001);
    expect([await running.end, running.pieces.join("")]).toEqual(["cut", "one two "]);
    void gateway.drain();
    await clock.advance(60_001);
  });

  it("DS-3: a revision that a later document names again is kept, and what runs on it is never cut", async () => {
    const clock = manualClock();
    let say: (text: string) => void = () => {};
    const old = await origin((_seen, res) => {
      res.write("one ");
      say = (text) => void res.write(text);
    });
    const next = await origin();
    const gateway = await aGateway(aDocument(old.url, null, { drainMs: 60_000 }), { clock });
    const running = streamed(gateway.url);
    await eventually(() => running.pieces.length === 1);
    for (const [seq, url] of [next.url, next.url, old.url].entries()) {
      gateway.adopt(aDocument(url, null, { drainMs: 60_000, seq: seq + 2 }));
      await clock.advance(1_000);
    }
    await clock.advance(61_000);
    say("two ");
    expect(await eventually(() => running.pieces.length === 2)).toBe(true);
    void gateway.drain();
    await clock.advance(60_001);
    expect(await running.end).toBe("cut");
  });
});
