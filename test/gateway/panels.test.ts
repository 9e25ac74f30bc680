import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { controllerApp } from "../../src/controller/api/app.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { shortPlan, World } from "../controller/world.ts";
import { traffic, watch } from "../builders.ts";
import { closedAfterEach } from "./closed-after-each.ts";
import { aDocument, aGateway, anOrigin, eventually, get } from "./world.ts";

const REQUESTS = 48;
/** Far above what a warm answer takes, also on a busy machine. */
const COLD_MS = 900;
const HOST = "127.0.0.1:4400";
const SERVICE = "support-rag";
const ARMS = ["stable", "candidate"] as const;
type Arm = (typeof ARMS)[number];

interface Row {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What is told of the answers of one service, by their place among its answers. */
interface Panel {
  readonly asked: number;
  valueOf(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const open = closedAfterEach();

/** The windows of a gateway before two services that say `wordOf` of their answers; each fifth is cold and slow. */
async function windowsOf(wordOf: (place: number) => object | null, coldMs: number) {
  const asked = { stable: 0, candidate: 0 };
  const answer = (arm: Arm) => (_seen: unknown, response: ServerResponse) => {
    const place = asked[arm]++;
    const word = wordOf(place);
    const isCold = place % 5 === 1;
    response.writeHead(200, {
      ...(word === null ? {} : { "x-sluice-event": JSON.stringify(word) }),
      ...(isCold ? { "x-cold-start": "1" } : {}),
    });
    setTimeout(() => response.end("answer"), isCold ? coldMs : 0);
  };
  const [stable, candidate] = [await anOrigin(answer("stable")), await anOrigin(answer("candidate"))];
  open.push(stable.close, candidate.close);
  const windows: TelemetryWindow[] = [];
  const document = aDocument(stable.url, candidate.url, { service: SERVICE, drainMs: 200 });
  const gateway = await aGateway(document, { onWindow: (window) => windows.push(window) });
  open.push(() => gateway.drain());
  const users = Array.from({ length: REQUESTS }, (_, user) => ({ "x-user-id": `user-${user}` }));
  await Promise.all(users.map((headers) => get(gateway.url, { headers })));
  await eventually(() => gateway.stats().inFlight === 0);
  gateway.adopt({ ...document, seq: 2 });
  return { windows, asked };
}

/** What the controller's `/metrics` says once a rollout has heard those windows. */
async function panelsOf(wordOf: (place: number) => object | null, coldMs = 0): Promise<Readonly<Record<Arm, Panel>>> {
  const { windows, asked } = await windowsOf(wordOf, coldMs);
  const world = await new World().open();
  open.push(() => world.controller.stop());
  world.gateway.requestsAWindow = 0; // Only what the services said is told.
  await world.run(2);
  await world.controller.apply(shortPlan({ stages: [traffic(20, 60_000), watch(1_000)] }));
  await world.run(4);
  await world.controller.ingest(SERVICE, windows, null);
  const secret = "t".repeat(43);
  const app = controllerApp(world.controller, {
    secret,
    tokens: await TokenBook.open(world.store, world.clock, [[secret, "admin"]]),
    hasOpenMetrics: false,
    allowedHosts: [HOST],
    clock: world.clock,
    stopped: new AbortController().signal,
    log: () => {},
  });
  const headers = { host: HOST, authorization: `Bearer ${secret}` };
  const text = await (await app.request(`http://${HOST}/metrics`, { headers })).text();
  const rows = text.split("\n").flatMap(rowIn);
  const panel = (arm: Arm): Panel => ({
    asked: asked[arm],
    valueOf: (name, labels = {}) => {
      const wanted = Object.entries({ arm, ...labels });
      return rows.find((row) => row.name === name && wanted.every(([key, label]) => row.labels[key] === label))?.value;
    },
  });
  return { stable: panel("stable"), candidate: panel("candidate") };
}

function rowIn(line: string): readonly Row[] {
  const [, name, list, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
  if (name === undefined || list === undefined) return [];
  const labels = Object.fromEntries(
    [...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", label = ""]) => [key, label]),
  );
  return [{ name, labels, value: Number(value) }];
}

const placesOf = ({ asked }: Panel) => Array.from({ length: asked }, (_, place) => place);
/** The smallest number that a part `p` of all does not exceed. */
const quantile = (numbers: readonly number[], p: number) =>
  [...numbers].sort((a, b) => a - b)[Math.ceil(p * numbers.length) - 1] ?? Number.NaN;
const QUANTILES = [0.5, 0.75, 0.95, 0.99];

describe("what /metrics tells of the answers behind a gateway", () => {
  it("CW-4: warm and cold latency stand apart, each with its quantiles", async () => {
    const panels = await panelsOf(() => null, COLD_MS);
    for (const arm of ARMS) {
      const of = (temperature: string, p: number) =>
        panels[arm].valueOf("sluice_latency_ms", { temperature, quantile: String(p) });
      for (const p of QUANTILES) {
        expect([arm, p, of("warm", p)]).toEqual([arm, p, expect.any(Number)]);
        expect(of("warm", p)).toBeLessThan(COLD_MS);
        expect(of("cold", p)).toBeGreaterThanOrEqual(COLD_MS * 0.99);
      }
    }
  });

  it("TE-5: what retrieving, reranking and reasoning take, at p50 and p95 of each arm", async () => {
    const base = { retrieve: 10, rerank: 200, reason: 3_000 };
    const panels = await panelsOf((place) => ({
      latency_ms: { retrieve: 10 + place, rerank: 200 + place, reason: 3_000 + place },
    }));
    for (const arm of ARMS) {
      const panel = panels[arm];
      for (const [stage, from] of Object.entries(base)) {
        for (const p of [0.5, 0.95]) {
          const wanted = from + quantile(placesOf(panel), p);
          const found = panel.valueOf("sluice_stage_latency_ms", { stage, quantile: String(p) }) ?? Number.NaN;
          expect(Math.abs(found / wanted - 1), `${arm} ${stage} ${p}: ${found} for ${wanted}`).toBeLessThan(0.01);
        }
      }
      expect(panel.valueOf("sluice_queue_age_ms")).toBeUndefined();
    }
    const silent = await panelsOf(() => null);
    for (const arm of ARMS) {
      expect(silent[arm].valueOf("sluice_latency_ms")).toBeGreaterThan(0);
      expect(silent[arm].valueOf("sluice_stage_latency_ms")).toBeUndefined();
    }
  });

  it("TE-13: the queue's mean length and percentiles of its age, and nothing where nobody tells of a queue", async () => {
    const backlogOf = (place: number) => 5 + (place % 3);
    const panels = await panelsOf((place) => ({
      queue: { backlog: backlogOf(place), age_p95_ms: 1_000 + 10 * place },
    }));
    for (const arm of ARMS) {
      const panel = panels[arm];
      const places = placesOf(panel);
      const mean = places.reduce((sum, place) => sum + backlogOf(place), 0) / places.length;
      expect(panel.valueOf("sluice_queue_backlog")).toBeCloseTo(mean, 9);
      for (const p of QUANTILES) {
        const wanted = 1_000 + 10 * quantile(places, p);
        const found = panel.valueOf("sluice_queue_age_ms", { quantile: String(p) }) ?? Number.NaN;
        expect(Math.abs(found / wanted - 1), `${arm} ${p}: ${found} for ${wanted}`).toBeLessThan(0.01);
      }
    }
    const silent = await panelsOf(() => ({ instance: { concurrency: 3 } }));
    for (const arm of ARMS) {
      expect(silent[arm].valueOf("sluice_instance_concurrency")).toBe(3);
      expect(silent[arm].valueOf("sluice_queue_backlog")).toBeUndefined();
      expect(silent[arm].valueOf("sluice_queue_age_ms")).toBeUndefined();
    }
  });

  it("TE-16: counts a tool called three times with the same arguments, or too deep, once for an answer", async () => {
    const call = (name: string, digest: string, depth?: number) => ({
      name,
      args_digest: digest,
      ...(depth === undefined ? {} : { depth }),
    });
    const [search, fetch] = [(digest: string, depth?: number) => call("search", digest, depth), call("fetch", "d1")];
    const LOOPS = [
      [search("d1"), search("d2"), search("d1"), search("d1")],
      [search("d1"), search("d1"), search("d1"), search("d1"), search("d1"), search("d1")],
      [search("d1", 17), search("d2", 18), search("d3", 19)],
    ];
    const NONE = [
      [search("d1"), search("d1"), search("d2"), search("d3"), search("d4", 16)],
      [search("d1"), search("d1"), fetch],
      [],
    ];
    const traces = [...LOOPS, ...NONE];
    const isLoop = (place: number) => place % traces.length < LOOPS.length;
    const panels = await panelsOf((place) => ({ tools: traces[place % traces.length] }));
    for (const arm of ARMS) {
      const loops = placesOf(panels[arm]).filter(isLoop).length;
      expect(loops).toBeGreaterThan(LOOPS.length);
      expect(panels[arm].valueOf("sluice_tool_loops_total")).toBe(loops);
    }
    const silent = await panelsOf(() => ({ instance: { concurrency: 3 } }));
    for (const arm of ARMS) expect(silent[arm].valueOf("sluice_tool_loops_total")).toBeUndefined();
  });
});
