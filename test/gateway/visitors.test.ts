import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { foldEvidence, isHarmProven, startEvidence } from "../../src/core/judge/engine.ts";
import { aBlock } from "../builders.ts";
import { createRouter } from "../../src/edge/router.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { randomStream } from "../../src/core/stats/random.ts";
import { bp } from "../../src/core/unit.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { systemClock } from "../../src/fence/system.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import type { Random } from "../../src/ports/random.ts";
import { aDocument, aGateway, anOrigin, get, type Origin } from "./world.ts";

const HOUR_MS = 3_600_000;
const KEY = "5a".repeat(32);
const STICKY = { hash: "v1", seed: 7, ttlMs: 24 * HOUR_MS, key: KEY, cookie: "visitor" } as const;

let stable: Origin;
let candidate: Origin;
let open: Gateway[] = [];
/** Hours that the gateways' wall clocks are ahead. */
let hours = 0;
/** The same in every run: a visitor's id, which is drawn, says which arm he is on. */
let random: Random;

beforeEach(async () => {
  [stable, candidate] = [await anOrigin(), await anOrigin()];
  [open, hours, random] = [[], 0, randomOf(3)];
});
afterEach(async () => {
  for (const gateway of open) await gateway.drain();
  for (const arm of [stable, candidate]) await arm.close();
});

function randomOf(seed: number): Random {
  const float = randomStream(seed);
  return { float, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(float() * 256)) };
}

const at = (percent: number, parts: Partial<RoutingDocument> = {}) =>
  aDocument(stable.url, candidate.url, { candidateBp: bp(percent * 100), sticky: STICKY, drainMs: 200, ...parts });

async function gatewayOn(document: RoutingDocument, parts: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const clock = { ...systemClock, wallMs: () => (systemClock.wallMs() + hours * HOUR_MS) as never };
  const made = await aGateway(document, { clock, random, ...parts });
  open.push(made);
  return made;
}

/** A browser: keeps the cookie it is given. */
class Browser {
  cookie: string | null = null;
  lastSet: string | null = null;

  async ask(url: string, headers: Record<string, string> = {}): Promise<string> {
    const sent = this.cookie === null ? headers : { ...headers, cookie: `theme=dark; ${this.cookie}` };
    const answer = await get(url, { headers: sent });
    this.lastSet = answer.headers["set-cookie"]?.[0] ?? null;
    if (this.lastSet !== null) this.cookie = this.lastSet.split(";")[0] ?? null;
    return String(answer.headers["x-sluice-arm"]);
  }

  get id(): string {
    return this.cookie?.split(".")[1] ?? "";
  }
}

/** What the gate says of a window as the gateway wrote it. */
function isStopped(window: TelemetryWindow | undefined): boolean {
  const settings = [{ gate: "sticky-violation", options: { max: 0, onNoData: "hold" }, source: "test" }] as const;
  const block = aBlock(40, window?.arms.stable ?? {}, window?.arms.candidate ?? {});
  const stage = { kind: "traffic", candidateBp: bp(4_000), heldMs: 0, holdMs: 0 } as const;
  return isHarmProven(foldEvidence(startEvidence(settings), block, settings), stage, settings);
}

const browsers = (count: number) => Array.from({ length: count }, () => new Browser());

describe("stickiness", () => {
  it("RT-2: for more than a day, over several gateways and a restart, nobody changes arms but by a rising share", async () => {
    const gateways = [await gatewayOn(at(30)), await gatewayOn(at(30)), await gatewayOn(at(30))];
    const visitors = browsers(24);
    const users = Array.from({ length: 24 }, (_, index) => ({ "x-user-id": `user-${index}` }));
    const everybody = async (turn: number) => {
      const url = (index: number) => (gateways[(turn + index) % gateways.length] as Gateway).url;
      return Promise.all([
        ...visitors.map((visitor, index) => visitor.ask(url(index))),
        ...users.map((user, index) => new Browser().ask(url(index), user)),
      ]);
    };
    const first = await everybody(0);
    expect(new Set(first.slice(0, 24))).toEqual(new Set(["stable", "candidate"]));
    const ids = visitors.map(({ id }) => id);
    for (hours = 5; hours <= 50; hours += 9) {
      if (hours === 23) gateways[1] = await gatewayOn(at(30)); // A restart: nothing is remembered but the document.
      expect(await everybody(hours)).toEqual(first);
    }
    expect(visitors.map(({ id }) => id)).toEqual(ids);
    for (const gateway of gateways) gateway.adopt(at(60, { seq: 2 }));
    const risen = await everybody(1);
    first.forEach((arm, index) => {
      if (arm === "candidate") expect(risen[index]).toBe("candidate");
    });
    expect(await everybody(2)).toEqual(risen);
  });

  it("takes a forged cookie, one of another key and one that is over for a new visitor", async () => {
    const { url } = await gatewayOn(at(50));
    const foreign = await gatewayOn(at(50, { sticky: { ...STICKY, key: "6b".repeat(32) } }));
    const [one, other] = [new Browser(), new Browser()];
    await one.ask(url);
    await other.ask(foreign.url);
    const { id, cookie } = one;
    expect(one.lastSet).toMatch(/^visitor=\S+; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/);
    await one.ask(url);
    expect([one.id, one.lastSet]).toEqual([id, null]);
    const foreignId = other.id;
    await other.ask(url);
    expect(other.id).not.toBe(foreignId);
    const forged = new Browser();
    forged.cookie = cookie?.replace(/[0-9a-f]$/, (digit) => (digit === "0" ? "1" : "0")) ?? null;
    await forged.ask(url);
    expect(forged.id).not.toBe(id);
    hours = 25;
    await one.ask(url);
    expect(one.id).not.toBe(id);
  });

  it("says Secure where a trusted proxy says TLS, and never where a stranger does", async () => {
    const proxied = await gatewayOn(at(50), { trustedProxies: ["127.0.0.0/8"] });
    const bare = await gatewayOn(at(50));
    const tls = { "x-forwarded-proto": "https" };
    const [one, other] = [new Browser(), new Browser()];
    await one.ask(proxied.url, tls);
    await other.ask(bare.url, tls);
    expect([one.lastSet?.endsWith("; Secure"), other.lastSet?.endsWith("; Secure")]).toEqual([true, false]);
  });

  it("gives probes and users with a header no cookie", async () => {
    const { url } = await gatewayOn(at(50), { trustedProxies: ["127.0.0.0/8"] });
    for (const headers of [{ "x-warm": "true" }, { "x-user-id": "u1" }]) {
      const one = new Browser();
      await one.ask(url, headers);
      expect(one.lastSet).toBeNull();
    }
  });

  it("RT-2, RT-8: a gateway that is behind pins by the cookie, and who is moved all the same is counted and stops", async () => {
    const windows: TelemetryWindow[] = [];
    const ahead = await gatewayOn(at(100, { seq: 2 }), { onWindow: (window) => windows.push(window) });
    const behind = await gatewayOn(at(0.01));
    const visitors = browsers(20);
    for (const visitor of visitors) {
      expect([await visitor.ask(ahead.url), await visitor.ask(behind.url)]).toEqual(["candidate", "candidate"]);
    }
    ahead.adopt(at(40, { seq: 3 }));
    const calm = windows.at(-1);
    expect(calm?.arms.candidate.counters).toEqual({ stickyViolations: 0 });
    let moved = 0;
    for (const [index, visitor] of visitors.entries()) {
      const before = await visitor.ask(ahead.url); // A share that fell moves him, and that is no violation.
      if ((await visitor.ask(ahead.url, { "x-user-id": `user-${index}` })) !== before) moved++; // He signs in.
    }
    ahead.adopt(at(40, { seq: 4 }));
    const troubled = windows.at(-1);
    expect(moved).toBeGreaterThan(0);
    expect(troubled?.arms.candidate.counters).toEqual({ stickyViolations: moved });
    expect([calm, troubled].map(isStopped)).toEqual([false, true]);
  });
});

describe("an edge before the gateway", () => {
  const throughEdge = (document: RoutingDocument, gatewayUrl: string) => {
    const [one, other] = [document.arms.stable, document.arms.candidate];
    if (other === null) throw new Error("there is a candidate");
    const arms = { stable: { ...one, endpoints: [gatewayUrl] }, candidate: { ...other, endpoints: [gatewayUrl] } };
    const router = createRouter({ document: { ...document, arms } });
    return async (headers: Record<string, string>) => {
      const answer = await router.handle(new Request("http://edge.example.org/answer", { headers }));
      await answer.text();
      return String(answer.headers.get("x-sluice-arm"));
    };
  };

  it("RT-5, RT-9: the edge's arm reaches core, service and log, also where the core would hash otherwise", async () => {
    let log = "";
    const core = await gatewayOn(at(5), { events: (lines) => (log += lines) });
    const ask = throughEdge(at(60, { seq: 2 }), core.url); // The core is a document behind.
    const arms = [];
    for (let user = 0; user < 40; user++) {
      arms.push(await ask({ "x-user-id": `user-${user}`, "x-exp": "candidate", "x-edge-ctx": "1.candidate.pin" }));
    }
    const onCandidate = arms.filter((arm) => arm === "candidate").length;
    expect(onCandidate).toBeGreaterThan(12);
    expect(onCandidate).toBeLessThan(36);
    expect([stable.seen.length, candidate.seen.length]).toEqual([40 - onCandidate, onCandidate]);
    expect(new Set(candidate.seen.map(({ headers }) => headers["x-exp"]))).toEqual(new Set(["candidate"]));
    expect(candidate.seen[0]?.headers["x-edge-ctx"]).toBeUndefined();
    await core.drain();
    const logged = log.trim().split("\n");
    expect(logged.map((line) => (JSON.parse(line) as { arm: string }).arm)).toEqual(arms);
  });

  it("counts a user who was drawn at the edge by the same document, and follows no context that nobody signed", async () => {
    const windows: TelemetryWindow[] = [];
    const core = await gatewayOn(at(50), { onWindow: (window) => windows.push(window) });
    const ask = throughEdge(at(50), core.url);
    for (let user = 0; user < 20; user++) await ask({ "x-user-id": `user-${user}` });
    const forged = "1.candidate.pin.-.1.1.99999999999." + "0".repeat(32);
    const answer = await get(core.url, { headers: { "x-edge-ctx": forged } });
    expect(answer.headers["x-sluice-arm"]).not.toBeUndefined();
    core.adopt(at(50, { seq: 2, closed: ["candidate"], candidateBp: bp(0) }));
    const arms = windows.at(-1)?.arms;
    expect((arms?.stable.newUnits ?? 0) + (arms?.candidate.newUnits ?? 0)).toBeGreaterThanOrEqual(20);
    const before = candidate.seen.length;
    for (let user = 0; user < 20; user++) await ask({ "x-user-id": `user-${user}` });
    expect(candidate.seen.length).toBe(before); // A closed arm is stronger than what an edge says.
  });
});
