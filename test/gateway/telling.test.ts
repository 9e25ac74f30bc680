import { readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDocument } from "../../src/cli/read-document.ts";
import { startController } from "../../src/host/serve-controller.ts";
import { serveGateway } from "../../src/host/serve-gateway.ts";
import { temporaryFolder } from "../cli/run-sluice.ts";
import { sluiceInProcess } from "../cli/sluice-in-process.ts";
import { anOrigin } from "./world.ts";

const SERVICE = "desk";
const REQUESTS = 80;
/** Far above what an answer takes on a busy machine. */
const COLD_MS = 2_500;
const KEY = "a".repeat(64);

/** What the service says of its answer to request `index`; the stages of every request differ. */
const wordOf = (arm: string, index: number) => ({
  latency_ms: { retrieve: 10 + index, rerank: 200 + index, reason: 3_000 + index },
  retrieval: { k: 10, delta_s_q_r: 0.25, delta_s_r_anchor: 0.125, coverage: 0.75, lambda_state: "<>" },
  // The second request of ten reads what the other arm wrote.
  cache: { hit: index % 2 === 0, written_by: index % 10 === 2 ? other(arm) : `r-${arm}` },
  egress: { webhook: "billing", tries: 3, dedupe_key: KEY },
  queue: { enq: 5, deq: 4, backlog: 7, age_p95_ms: 1_000 + index },
  effects: { applied: 1, repeat: index % 4 === 0 ? 2 : 0, suppressed: index % 4 === 0 ? 2 : 0, duplicate: 0, lost: 0 },
  instance: { concurrency: 3 },
  tools: toolsOf(index % 10),
});
const call = (digest: string, depth = 0) => ({ name: "search", args_digest: digest, depth });
/** Three times the same; deeper than may be; often, and each time something else. */
const toolsOf = (digit: number) =>
  digit === 4
    ? [call("d1"), call("d2"), call("d1"), call("d1"), call("d1")]
    : digit === 5
      ? [call("d1", 16), call("d2", 17), call("d3", 18)]
      : digit === 6
        ? [call("d1"), call("d1"), call("d2"), call("d2", 16)]
        : [];
const other = (arm: string) => (arm === "stable" ? "r-candidate" : "r-stable");

function answer(arm: string, request: Pick<IncomingMessage, "url">, response: ServerResponse): void {
  if (request.url === "/health") {
    const version = { PROMPT_VER: "p", MODEL_VER: "m", RERANK_CONF: "k", secrets_rev: "s", BUILD_TS: "b" };
    const identity = { INDEX_HASH: `ix-${arm}`, METRIC: "cosine", ANALYZER: "icu", EMBED_SCHEMA: "e" };
    const schema = { SCHEMA_REV: { min: "sc-1", max: "sc-1" }, revision: `rev-${arm}` };
    const answered = { ready: true, release_id: `r-${arm}`, ...version, ...identity, ...schema };
    return void response.end(JSON.stringify(answered));
  }
  const asked = /i=(\d+)/.exec(request.url ?? "")?.[1];
  if (asked === undefined) return void response.end("who is here");
  const index = Number(asked);
  const said = JSON.stringify(wordOf(arm, index));
  const isLate = index % 3 === 0; // Stages are known at the end alone.
  response.writeHead(index % 20 === 7 ? 503 : 200, {
    ...(isLate ? { trailer: "x-sluice-event" } : { "x-sluice-event": said }),
    ...(index % 8 === 1 ? { "x-cold-start": "1" } : {}),
  });
  response.write("an ");
  if (isLate) response.addTrailers({ "x-sluice-event": said });
  setTimeout(() => response.end("answer"), index % 8 === 1 ? COLD_MS : 20);
}

interface Row {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const closers: (() => Promise<unknown>)[] = [];
let eventsFile = "";
let [gatewayUrl, controllerUrl, dataDir] = ["", "", ""];
const eachArm = ["stable", "candidate"] as const;
/** Requests that each arm answered, by index. */
const answered = { stable: [] as number[], candidate: [] as number[] };
let rows: readonly Row[] = [];
let events: readonly Record<string, unknown>[] = [];

/** A controller and a gateway as their commands start them, and two releases. */
async function start(): Promise<string> {
  const folder = await temporaryFolder();
  closers.push(() => folder.remove());
  const origins = await Promise.all(
    ["stable", "candidate"].map((arm) => anOrigin((seen, res) => answer(arm, seen, res))),
  );
  closers.push(...origins.map((origin) => () => origin.close()));
  dataDir = join(folder.path, "data");
  eventsFile = join(folder.path, "events.ndjson");
  const file = join(folder.path, "rollout.yaml");
  const arm = (name: string, at: number) =>
    `{ url: "${origins[at]?.url}", release: r-${name}, health: "${origins[at]?.url}/health" }`;
  await writeFile(
    file,
    `apiVersion: sluice/v1
kind: Rollout
metadata: { name: first }
spec:
  service: ${SERVICE}
  stable: ${arm("stable", 0)}
  candidate: ${arm("candidate", 1)}
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }], trustedProxies: [127.0.0.0/8] }
  strategy: { canary: { steps: [{ weight: 50, hold: 1h }] } }
  gates: [{ use: demo }]
`,
  );
  const log = () => {};
  const onFatal = (error: unknown) => {
    throw error;
  };
  const never = () => Promise.reject(new Error("no probes here"));
  const probes = { run: never, smoke: () => Promise.resolve(null) };
  const started = await startController({
    dataDir,
    host: "127.0.0.1",
    port: 0,
    probes,
    log,
    onFatal,
    stallMs: 600_000,
  });
  if (started.kind !== "started") throw new Error("the directory is new");
  closers.push(() => started.stop());
  controllerUrl = started.url;
  const { document } = await readDocument(file);
  const listen = { host: "127.0.0.1", port: 0 };
  const keys = { named: [], acceptsUnsigned: false };
  const of = { document, keys, listen, controllerUrl: null, dataDir, events: eventsFile, region: "eu-west", log };
  const gateway = await serveGateway(of);
  closers.push(() => gateway.drain());
  gatewayUrl = gateway.url;
  return file;
}

beforeAll(async () => {
  const file = await start();
  await until(
    "a gateway that reports",
    async () => (await sluiceInProcess("apply", file, "--data", dataDir)).code === 0,
  );
  await until("users on the candidate", async () => {
    const headers = { "x-user-id": `early-${Math.random()}` };
    return (await fetch(gatewayUrl, { headers })).headers.get("x-sluice-arm") === "candidate";
  });
  const users = await usersOfEachArm();
  await Promise.all(users.map((user, index) => ask(index, user)));
  const sum = (found: readonly Row[]) => found.reduce((total, { value }) => total + value, 0);
  await until("all of it in /metrics", async () => {
    rows = await metrics();
    return sum(rowsOf("sluice_effects_total")) === REQUESTS;
  });
  await until("all of it in the events", async () => {
    const text = await readFile(eventsFile, "utf8");
    const lines = text.split("\n").filter((line) => line !== "");
    events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return events.filter(({ retrieval }) => (retrieval as { k?: unknown }).k === 10).length === REQUESTS;
  });
}, 90_000);
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * A user for each request, twenty of an arm in turn: buckets follow a secret seed, and by chance alone one arm would now
 * and then see none of a kind of answer.
 */
async function usersOfEachArm(): Promise<readonly string[]> {
  const found: Record<string, string[]> = { stable: [], candidate: [] };
  const wants = (arm: string) => (found[arm]?.length ?? 0) < REQUESTS / 2;
  for (let at = 0; eachArm.some(wants); at++) {
    const user = `alice-${at}@example.org`;
    const response = await fetch(gatewayUrl, { headers: { "x-user-id": user } });
    await response.text();
    found[response.headers.get("x-sluice-arm") ?? ""]?.push(user);
  }
  return Array.from({ length: REQUESTS }, (_, index) => {
    const arm = Math.floor(index / 20) % 2 === 0 ? "stable" : "candidate";
    return found[arm]?.shift() as string;
  });
}

async function ask(index: number, user: string): Promise<void> {
  const response = await fetch(`${gatewayUrl}/secret?i=${index}`, {
    headers: { "x-user-id": user, "x-edge-pop": "FRA1" },
  });
  const arm = response.headers.get("x-sluice-arm") as "stable" | "candidate";
  expect([arm, response.headers.get("x-sluice-event")]).toEqual([arm, null]);
  await response.text();
  answered[arm].push(index);
}

async function metrics(): Promise<readonly Row[]> {
  const token = (await readFile(join(dataDir, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const text = await (await fetch(`${controllerUrl}/metrics`, { headers })).text();
  return text.split("\n").flatMap((line) => {
    const [, name, list, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (name === undefined || list === undefined) return [];
    const labels = Object.fromEntries([...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, label]) => [key, label]));
    return [{ name, labels: labels as Record<string, string>, value: Number(value) }];
  });
}

const rowsOf = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  rows.filter((row) => row.name === name && Object.entries(labels).every(([key, label]) => row.labels[key] === label));
const valueOf = (name: string, labels: Readonly<Record<string, string>>) =>
  rowsOf(name, labels).map((row) => row.value);
/** The smallest number that a part `p` of all does not exceed. */
const quantile = (numbers: readonly number[], p: number) =>
  [...numbers].sort((a, b) => a - b)[Math.ceil(p * numbers.length) - 1] ?? Number.NaN;
const isNear = (found: number | undefined, wanted: number) => Math.abs((found ?? Number.NaN) / wanted - 1) < 0.01;

describe("the wide event of a request", () => {
  const eventOf = (index: number) =>
    events.find((event) => JSON.stringify(event).includes(`"retrieve":${10 + index},`));

  it("TE-1: is whole: who answered, where, from which index, how it retrieved, cached, called out, how long", () => {
    for (const arm of eachArm) {
      const index = answered[arm].find((one) => one % 20 === 6);
      expect(index).toBeDefined();
      const event = eventOf(index as number);
      const number = expect.any(Number);
      const { latency_ms, retrieval, cache, egress } = wordOf(arm, index as number);
      expect(event).toEqual({
        ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        route: SERVICE,
        release_id: `r-${arm}`,
        revision: `rev-${arm}`,
        variant: arm,
        arm,
        sticky: expect.stringMatching(/^h\d{1,4}$/),
        region: "eu-west",
        edge_pop: "FRA1",
        cold_start: false,
        probe: false,
        status: 200,
        timeout_stage: null,
        latency_ms: { ttfb: number, tusable: number, tfinal: number, ...latency_ms },
        retrieval: { ...retrieval, metric: "cosine", analyzer: "icu", index_hash: `ix-${arm}` },
        cache: { prefix: expect.stringMatching(/:$/), ...cache },
        egress,
        queue: expect.any(Object),
        tools: toolsOf(6),
        answer: { empty: false },
        stream: { abandoned: false },
      });
      const { ttfb, tusable, tfinal } = { ...(event?.["latency_ms"] as Record<string, number> | undefined) };
      expect([ttfb, tusable, tfinal]).toEqual([ttfb, tusable, tfinal].toSorted((a, b) => Number(a) - Number(b)));
    }
    const prefixes = eachArm.map((arm) => events.find((event) => event["arm"] === arm)?.["cache"]);
    expect(new Set(prefixes.map((cache) => JSON.stringify(cache))).size).toBe(2);
    expect(JSON.stringify(events)).not.toMatch(/alice|secret|example/);
  });

  it("TE-3: always says variant, sticky bucket and INDEX_HASH, also of cold and failed answers and without a word", () => {
    for (const event of events.filter(({ arm, release_id }) => release_id === `r-${String(arm)}`)) {
      if ((event["retrieval"] as Record<string, unknown>)["index_hash"] === null) continue; // Before the first rollout.
      expect([event["variant"], (event["retrieval"] as Record<string, unknown>)["index_hash"]]).toEqual([
        event["arm"],
        `ix-${String(event["arm"])}`,
      ]);
      expect(event["sticky"]).toMatch(/^h\d+$/);
    }
    const told = events.filter((event) => (event["retrieval"] as Record<string, unknown>)["index_hash"] !== null);
    expect(told.length).toBeGreaterThanOrEqual(REQUESTS);
    expect(told.some((event) => event["status"] === 503) && told.some((event) => event["cold_start"] === true)).toBe(
      true,
    );
  });

  it("can be judged as it is", async () => {
    const judged = await sluiceInProcess("judge", "--trace", eventsFile, "--json");
    expect([10, 11, 0]).toContain(judged.code);
    expect(judged.stderr).not.toMatch(/could not be read|left out/);
  });
});

describe("/metrics", () => {
  it("TE-7: labels every metric with release_id and revision", () => {
    expect(rows.length).toBeGreaterThan(60);
    for (const { name, labels } of rows) {
      const arm = labels["arm"] ?? "candidate";
      expect([name, labels["release_id"], labels["revision"]]).toEqual([name, `r-${arm}`, `rev-${arm}`]);
    }
  });

  it("shows warm and cold latency apart", () => {
    for (const arm of eachArm) {
      const [warm] = valueOf("sluice_latency_ms", { arm, temperature: "warm", quantile: "0.5" });
      const [cold] = valueOf("sluice_latency_ms", { arm, temperature: "cold", quantile: "0.5" });
      expect(warm).toBeLessThan(COLD_MS);
      expect(cold).toBeGreaterThanOrEqual(COLD_MS);
    }
  });

  it("has what retrieving, reranking and reasoning take, at p50 and p95 of each arm", () => {
    const base = { retrieve: 10, rerank: 200, reason: 3_000 };
    for (const arm of eachArm) {
      for (const [stage, from] of Object.entries(base)) {
        for (const p of [0.5, 0.95]) {
          const wanted = quantile(answered[arm], p) + from;
          const [found] = valueOf("sluice_stage_latency_ms", { arm, stage, quantile: String(p) });
          expect([arm, stage, p, found, wanted, isNear(found, wanted)]).toEqual([arm, stage, p, found, wanted, true]);
        }
      }
    }
  });

  it("TE-8: has the panels of a revision: cold starts, p95 and 5xx", () => {
    for (const arm of eachArm) {
      const labels = { arm, revision: `rev-${arm}` };
      const mine = answered[arm];
      expect(valueOf("sluice_cold_starts_total", labels)).toEqual([mine.filter((index) => index % 8 === 1).length]);
      expect(valueOf("sluice_five_xx_total", labels)).toEqual([mine.filter((index) => index % 20 === 7).length]);
      expect(valueOf("sluice_latency_ms", { ...labels, temperature: "warm", quantile: "0.95" })[0]).toBeGreaterThan(15);
    }
  });

  it("TE-9, ID-9: has dedupe hits and side effects as the services counted them, retries and the queue's age", () => {
    for (const arm of eachArm) {
      const mine = answered[arm];
      const repeated = 2 * mine.filter((index) => index % 4 === 0).length;
      expect(valueOf("sluice_dedupe_hits_total", { arm })).toEqual([repeated]);
      expect(valueOf("sluice_repeat_deliveries_total", { arm })).toEqual([repeated]);
      expect(valueOf("sluice_effects_total", { arm })).toEqual([mine.length]);
      expect(valueOf("sluice_retries_total", { arm })).toEqual([2 * mine.length]);
      expect(isNear(valueOf("sluice_queue_age_ms", { arm, quantile: "0.95" })[0], 1_000 + quantile(mine, 0.95))).toBe(
        true,
      );
    }
  });

  it("has the queue's length, and percentiles of its age", () => {
    for (const arm of eachArm) {
      expect(valueOf("sluice_queue_backlog", { arm })).toEqual([7]);
      const ages = ["0.5", "0.75", "0.95", "0.99"].map((p) => valueOf("sluice_queue_age_ms", { arm, quantile: p })[0]);
      for (const [at, p] of [0.5, 0.75, 0.95, 0.99].entries()) {
        expect(isNear(ages[at], 1_000 + quantile(answered[arm], p))).toBe(true);
      }
    }
  });

  it("counts a tool called three times with the same arguments, or too deep, once for an answer", () => {
    for (const arm of eachArm) {
      const loops = answered[arm].filter((index) => index % 10 === 4 || index % 10 === 5).length;
      expect(valueOf("sluice_tool_loops_total", { arm })).toEqual([loops]);
    }
  });

  it("counts reads of the other arm's cache entries", () => {
    for (const arm of eachArm) {
      const mine = answered[arm];
      // Entries that the other arm wrote and this one only missed are no reads of them.
      expect(valueOf("sluice_cache_collisions_total", { arm })).toEqual([
        mine.filter((index) => index % 10 === 2).length,
      ]);
      expect(valueOf("sluice_cache_lookups_total", { arm })).toEqual([mine.length]);
    }
  });
});
