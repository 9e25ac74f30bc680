import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ArmFacts } from "../../src/core/routing/arm-facts.ts";
import { bp } from "../../src/core/unit.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { aDocument, aGateway, anOrigin, get, type Origin } from "./world.ts";

const WORD = {
  latency_ms: { retrieve: 11, rerank: 22, reason: 33 },
  retrieval: { k: 10, delta_s_q_r: 0.25, delta_s_r_anchor: 0.125, coverage: 0.75, lambda_state: "<>" },
  cache: { hit: true, written_by: "rel-a" },
  egress: { webhook: "billing", tries: 3, dedupe_key: "a".repeat(64) },
  queue: { enq: 5, deq: 4, backlog: 7, age_p95_ms: 1_000 },
  tools: [{ name: "search", args_digest: "d1" }],
};
/** What the controller knows of the candidate; of stable it knows nothing. */
const FACTS: ArmFacts = {
  revision: "rev-b",
  indexHash: "ix-b",
  metric: "cosine",
  analyzer: "icu",
  deltaS: 0.41,
  coverage: 0.84,
  lambdaState: "→",
};
const HEADERS = { "x-user-id": "alice@example.org", "x-edge-pop": "FRA1" };
const number = expect.any(Number);

let origin: Origin;
let gateway: Gateway;
let lines = "";
beforeEach(async () => {
  origin = await anOrigin((seen, response, request) => answer(String(seen.url), response, request));
  lines = "";
});
afterEach(() => origin.close());

function answer(path: string, response: ServerResponse, request: IncomingMessage): void {
  if (path === "/cut") return void request.socket.destroy();
  if (path === "/late") return; // Until the gateway has waited long enough.
  response.writeHead(path === "/failed" ? 503 : 200, {
    ...(path === "/said" ? { "x-sluice-event": JSON.stringify(WORD) } : {}),
    ...(path === "/cold" ? { "x-cold-start": "1" } : {}),
  });
  if (path === "/empty") return void response.end();
  response.write("an ");
  response.end("answer");
}

/** The events of these paths, asked one after another, with all users at the candidate's share. */
async function eventsOf(paths: readonly string[], percent: number, headers: Record<string, string> = HEADERS) {
  const document = aDocument(origin.url, origin.url, { candidateBp: bp(percent * 100), drainMs: 200 });
  const { stable, candidate } = document.arms;
  const arms = { stable, candidate: candidate === null ? null : { ...candidate, facts: FACTS } };
  const trustedProxies = ["127.0.0.0/8"];
  gateway = await aGateway(
    { ...document, arms },
    { events: (more) => (lines += more), region: "eu-west", trustedProxies, timeouts: { headersMs: 300 } },
  );
  const post = { method: "POST", headers }; // Nothing is asked a second time.
  for (const path of paths) await get(`${gateway.url}${path}`, post, "secret").catch(() => {});
  await gateway.drain();
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The event of an answer that failed, by an arm of which nothing is known. */
const FAILED = {
  ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  route: "answers",
  release_id: "rel-a",
  revision: null,
  variant: "stable",
  arm: "stable",
  sticky: expect.stringMatching(/^h\d{1,4}$/),
  region: "eu-west",
  edge_pop: "FRA1",
  cold_start: false,
  probe: false,
  status: 200,
  timeout_stage: null,
  latency_ms: { ttfb: number, tusable: number, tfinal: number, retrieve: null, rerank: null, reason: null },
  retrieval: {
    k: null,
    metric: null,
    analyzer: null,
    index_hash: null,
    delta_s_q_r: null,
    delta_s_r_anchor: null,
    coverage: null,
    lambda_state: "unobserved",
  },
  cache: { prefix: "v1-blu:", hit: null, written_by: null },
  egress: { webhook: null, tries: null, dedupe_key: null },
  queue: { enq: null, deq: null, backlog: null, age_p95_ms: null },
};
/** The event of an answer of which the service said nothing, by an arm of which nothing is known. */
const SILENT = { ...FAILED, answer: { empty: false }, stream: { abandoned: false } };
const KNOWN = {
  ...SILENT,
  release_id: "rel-b",
  revision: "rev-b",
  variant: "candidate",
  arm: "candidate",
  cache: { ...SILENT.cache, prefix: "v2-cnr:" },
  retrieval: {
    ...SILENT.retrieval,
    metric: "cosine",
    analyzer: "icu",
    index_hash: "ix-b",
    delta_s_q_r: 0.41,
    coverage: 0.84,
    lambda_state: "→",
  },
};
const UNKNOWN_SHAPE = { code: expect.any(String), stage: "headers" };

describe("the wide event of a request", () => {
  it("TE-2: is whole where the service says everything, where it says nothing, and where nothing is known", async () => {
    const [said, silent] = await eventsOf(["/said", "/silent"], 100);
    const { latency_ms, retrieval, cache, egress, queue, tools } = WORD;
    expect(said).toEqual({
      ...KNOWN,
      latency_ms: { ...KNOWN.latency_ms, ...latency_ms },
      retrieval: { ...KNOWN.retrieval, ...retrieval },
      cache: { ...KNOWN.cache, ...cache },
      egress,
      queue,
      tools,
    });
    expect(silent).toEqual(KNOWN);
    const { ttfb, tusable, tfinal } = { ...(silent?.["latency_ms"] as Record<string, number> | undefined) };
    expect(ttfb).toBeGreaterThan(0);
    expect([ttfb, tusable, tfinal]).toEqual([ttfb, tusable, tfinal].toSorted((a = 0, b = 0) => a - b));
    lines = "";
    expect(await eventsOf(["/silent"], 0)).toEqual([SILENT]);
    expect(lines).not.toMatch(/alice|secret|example/);
  });

  it("TE-2: tells cold, empty, failed, cut and late answers, warm pings and strangers from a user's answer", async () => {
    const events = await eventsOf(["/cold", "/empty", "/failed", "/cut", "/late"], 0);
    const failed = (status: number, error_class: object) => ({
      ...FAILED,
      status,
      error_class,
      latency_ms: { ...FAILED.latency_ms, tusable: expect.toBeOneOf([null, number]) },
    });
    const bodyless = { ...SILENT.latency_ms, tusable: null };
    expect(events).toEqual([
      { ...SILENT, cold_start: true },
      { ...SILENT, latency_ms: bodyless, answer: { empty: true } },
      failed(503, { stage: "headers", family: "5xx", code: "503" }),
      failed(502, { ...UNKNOWN_SHAPE, family: "network" }),
      { ...failed(504, { ...UNKNOWN_SHAPE, family: "timeout" }), timeout_stage: "headers" },
    ]);
    lines = "";
    const [ping] = await eventsOf(["/silent"], 0, { "x-warm": "true" });
    expect(ping).toEqual({ ...SILENT, probe: true, sticky: null, edge_pop: null });
  });
});
