import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Hono } from "hono";
import { controllerApp } from "../../src/controller/api/app.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import type { Status } from "../../src/contract/status.ts";
import { World } from "./world.ts";

const TOKEN = "t".repeat(43);
const HOST = "127.0.0.1:4400";

const DOCUMENT = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: "http://127.0.0.1:4001/answer", release: r-stable }
  candidate: { url: "http://127.0.0.1:4002/answer", release: r-candidate }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 20, hold: 3s }, { weight: 100, hold: 1s }] } }
  gates: [{ use: default }]
`;

let world: World;
let app: Hono;
let stopped: AbortController;
let keys = 0;
let tokens: TokenBook;
const GATEWAY = "g".repeat(43);

beforeEach(async () => {
  world = await new World().open();
  stopped = new AbortController();
  tokens = await TokenBook.open(world.store, world.clock, [
    [TOKEN, "admin"],
    [GATEWAY, "gateway"],
  ]);
  app = serve();
  await world.run(2);
});
afterEach(async () => {
  stopped.abort();
  await world.controller.stop();
});

function serve(): Hono {
  const { controller, clock } = world;
  const log = (line: string) => void world.logged.push(line);
  return controllerApp(controller, {
    secret: TOKEN,
    tokens,
    hasOpenMetrics: false,
    allowedHosts: [HOST],
    clock,
    stopped: stopped.signal,
    log,
  });
}

type Headers = Readonly<Record<string, string>>;

async function get(path: string, headers: Headers = {}): Promise<Response> {
  return app.request(`http://${HOST}${path}`, {
    headers: { host: HOST, authorization: `Bearer ${TOKEN}`, ...headers },
  });
}

async function post(path: string, body: unknown = {}, headers: Headers = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const given = { host: HOST, authorization: `Bearer ${TOKEN}`, "idempotency-key": `k${++keys}`, ...headers };
  return app.request(`http://${HOST}${path}`, { method: "POST", body: text, headers: given });
}

/** The same request without one header. */
async function postWithout(header: string, path: string): Promise<Response> {
  const all: Record<string, string> = { host: HOST, authorization: `Bearer ${TOKEN}`, "idempotency-key": `k${++keys}` };
  delete all[header];
  return app.request(`http://${HOST}${path}`, { method: "POST", body: "{}", headers: all });
}

const applyBody = (document = DOCUMENT) => ({
  document,
  file: "rollout.yaml",
  gold_digest: "",
  paths: { set: null, map: null, corpus: null },
});
const apply = (headers: Headers = {}, document = DOCUMENT) => post("/v1/rollouts", applyBody(document), headers);

async function problem(response: Response): Promise<readonly [status: number, title: string]> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = (await response.json()) as { title: string; status: number; type: string; detail: string };
  expect(body).toMatchObject({ status: response.status, type: `urn:sluice:problem:${body.title}` });
  expect(body.detail.length).toBeGreaterThan(10);
  return [response.status, body.title];
}

/** Reads events from a stream until there are `count`. */
async function events(response: Response, count: number): Promise<{ event: string; id: string; data: string }[]> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  while (text.split("\n\n").filter((part) => part.startsWith("event:")).length < count) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  void reader.cancel();
  const blocks = text.split("\n\n").filter((part) => part.startsWith("event:"));
  return blocks.map((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
    return { event: field("event"), id: field("id"), data: field("data") };
  });
}

describe("POST /v1/rollouts", () => {
  it("accepts a document with 201, and the same one again with 200", async () => {
    const first = await apply();
    expect([first.status, await first.json()]).toEqual([
      201,
      {
        id: "support-rag-7",
        generation: 1,
        phase: expect.any(String),
        outcome: "accepted",
        note: null,
        exit_code: 0,
      },
    ]);
    expect((await apply()).status).toBe(200);
  });

  it("answers a second rollout of the service with 409 conflict", async () => {
    await apply();
    expect(await problem(await apply({}, DOCUMENT.replace("support-rag-7", "support-rag-8")))).toEqual([
      409,
      "conflict",
    ]);
  });

  it("lists every problem of a document with its position", async () => {
    const response = await apply({}, DOCUMENT.replace("weight: 20", "weight: 220").replace("hold: 3s", "hold: soon"));
    const body = (await response.clone().json()) as { problems: { at: { line: number } }[] };
    expect(await problem(response)).toEqual([422, "invalid-document"]);

    expect(body.problems.map(({ at }) => at.line)).toEqual([9, 9]);
  });

  it("refuses a body that is no JSON, has unknown keys or is too large", async () => {
    expect(await problem(await post("/v1/rollouts", "{"))).toEqual([400, "bad-request"]);
    expect(await problem(await post("/v1/rollouts", { ...applyBody(), more: 1 }))).toEqual([400, "bad-request"]);
    expect(await problem(await apply({}, "x".repeat(2_097_153)))).toEqual([413, "too-large"]);
    const claimed = await post("/v1/rollouts", "{}", { "content-length": "99999999" });
    expect(await problem(claimed)).toEqual([413, "too-large"]);
  });
});

describe("Idempotency-Key", () => {
  it("ID-4: is required on every change: 400 without it or with one that is not visible ASCII", async () => {
    const commands = ["pause", "resume", "promote", "abort", "rollback", "retry"].map((verb) => `rollouts/x/${verb}`);
    for (const path of [...commands, "rollouts", "services/support-rag/adopt"])
      expect([path, ...(await problem(await postWithout("idempotency-key", `/v1/${path}`)))]).toEqual([
        path,
        400,
        "bad-request",
      ]);
    expect(await problem(await postWithout("idempotency-key", "/v1/rollouts"))).toEqual([400, "bad-request"]);
    expect(await problem(await apply({ "idempotency-key": "k".repeat(256) }))).toEqual([400, "bad-request"]);
  });

  it("replays the stored answer for the same body, after a restart too, and refuses another body with 422", async () => {
    const first = await apply({ "idempotency-key": "once" });
    const again = await apply({ "idempotency-key": '"once"' });
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
    expect((await again.json()) as object).toMatchObject({ generation: 1 });
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(await problem(await apply({ "idempotency-key": "once" }, `${DOCUMENT}# more`))).toEqual([422, "key-reused"]);
    await world.controller.stop();
    await world.open();
    app = serve();
    expect((await apply({ "idempotency-key": "once" })).status).toBe(201);
  });

  it("makes a double click one action: one abort in the journal, the second answered 409 in-flight or replayed", async () => {
    await apply();
    await world.run(6);
    const click = () => post("/v1/rollouts/support-rag-7/abort", { reason: "seen enough" }, { "idempotency-key": "a" });
    const [one, two] = await Promise.all([click(), click()]);
    expect([one.status, two.status]).toEqual([200, 409]);
    expect(two.headers.get("retry-after")).toBe("1");
    const third = await click();
    expect([third.status, third.headers.get("idempotent-replayed")]).toEqual([200, "true"]);
    const entries = await world.controller.journal("support-rag-7");
    expect(entries.filter(({ event }) => event.kind === "commanded").length).toBe(1);
  });
});

describe("commands", () => {
  it("S6: names the operator in the journal and rolls back", async () => {
    await apply();
    await world.run(6);
    await post("/v1/rollouts/support-rag-7/abort", { reason: "seen enough" }, { "x-sluice-operator": "ann" });
    await world.run(4);
    expect(world.phase).toBe("aborted");
    const journal = (await (await get("/v1/rollouts/support-rag-7/journal")).json()) as {
      plan: object;
      entries: object[];
    };
    // The seed and the cookies' key are a gateway's to know: who may look could sign visitors with them.
    expect(Object.keys(journal.plan)).not.toContain("sticky");
    expect(journal.entries).toContainEqual(
      expect.objectContaining({
        event: expect.objectContaining({ command: "abort", by: "ann", reason: "seen enough" }),
      }),
    );
  });

  it("answers what would change nothing with 409, an old generation with 409, an unknown rollout with 404", async () => {
    await apply();
    const to = (command: string, body: object = {}) => post(`/v1/rollouts/support-rag-7/${command}`, body);
    expect(await (await to("resume")).json()).toMatchObject({ outcome: "held" });
    expect(await problem(await to("promote"))).toEqual([409, "no-effect"]);
    expect(await problem(await to("pause", { generation: 7 }))).toEqual([409, "generation"]);
    expect(await problem(await post("/v1/rollouts/nobody/pause"))).toEqual([404, "not-found"]);
    expect(await problem(await to("promote", { unknown: 1 }))).toEqual([400, "bad-request"]);
    expect(await problem(await to("explode"))).toEqual([404, "not-found"]);
  });

  it("CA-2: never takes a prefix from a person who chose one", async () => {
    await apply({}, DOCUMENT.replace("release: r-candidate", 'release: r-candidate, cachePrefix: "mine:"'));
    await world.run(6);
    await post("/v1/rollouts/support-rag-7/abort");
    await world.run(4);
    expect((await post("/v1/rollouts/support-rag-7/retry")).status).toBe(201);
    const { stable, candidate } = world.stored?.rollout.plan.arms ?? {};
    expect([stable?.cachePrefix, candidate?.cachePrefix]).toEqual(["stable:", "mine:"]);
  });

  it("CA-2: retries an ended rollout as a new generation with another bucket seed and cache prefix (D-9)", async () => {
    await apply();
    expect(await problem(await post("/v1/rollouts/support-rag-7/retry"))).toEqual([409, "conflict"]);
    await world.run(6);
    const before = world.stored?.rollout.plan;
    await post("/v1/rollouts/support-rag-7/abort");
    await world.run(4);
    const response = await post("/v1/rollouts/support-rag-7/retry");
    expect([response.status, ((await response.json()) as { generation: number }).generation]).toEqual([201, 2]);
    const after = world.stored?.rollout.plan;
    expect(after?.generation).toBe(2);
    expect(after?.sticky.seed).not.toBe(before?.sticky.seed);
    const prefixes = [before, after].flatMap((plan) => [
      plan?.arms.stable.cachePrefix,
      plan?.arms.candidate.cachePrefix,
    ]);
    expect(prefixes).toEqual(["stable:", "support-rag-7.1:", "stable:", "support-rag-7.2:"]);
    await world.run(4);
    const indexes = (await world.controller.journal("support-rag-7")).map(({ index }) => index);
    expect(indexes).toEqual(indexes.map((_, index) => index));
  });
});

describe("who may ask", () => {
  const CHANGES = ["/v1/rollouts", "/v1/rollouts/x/abort", "/v1/rollouts/x/retry", "/v1/telemetry", "/v1/nothing"];

  it("S6: answers every change without the token, or with another one, with 401", async () => {
    for (const path of CHANGES) {
      expect(await problem(await postWithout("authorization", path))).toEqual([401, "unauthorized"]);
      for (const authorization of ["Bearer x", `bearer ${TOKEN}`, `Bearer ${TOKEN}x`, TOKEN]) {
        expect(await problem(await post(path, {}, { authorization }))).toEqual([401, "unauthorized"]);
      }
    }
    expect(
      (await app.request(`http://${HOST}/v1/rollouts`, { method: "DELETE", headers: { host: HOST } })).status,
    ).toBe(401);
  });

  it("S22: answers a request for another host or from another origin with 403, reads too", async () => {
    expect(await problem(await get("/healthz", { host: "evil.example" }))).toEqual([403, "forbidden"]);
    expect(await problem(await get("/healthz", { host: "127.0.0.1:4401" }))).toEqual([403, "forbidden"]);
    expect(await problem(await get("/v1/rollouts", { origin: "https://evil.example" }))).toEqual([403, "forbidden"]);
    expect(await problem(await apply({ origin: "null" }))).toEqual([403, "forbidden"]);
    expect((await get("/healthz", { origin: `http://${HOST}` })).status).toBe(200);
  });

  it("answers unknown paths with 404", async () => {
    expect(await problem(await get("/v1/nothing"))).toEqual([404, "not-found"]);
    expect(await problem(await get("/v1/rollouts/nobody"))).toEqual([404, "not-found"]);
    expect(await problem(await get("/v1/rollouts/nobody/journal"))).toEqual([404, "not-found"]);
    expect(await problem(await get("/v1/verdicts/nobody"))).toEqual([404, "not-found"]);
    expect(await problem(await get("/v1/routing/nobody"))).toEqual([404, "not-found"]);
  });
});

describe("POST /v1/telemetry", () => {
  const push = (over: object = {}) => {
    const windows = [world.gateway.lastWindow];
    return post("/v1/telemetry", { gateway_id: "g1", windows, adopted: { epoch: 0, seq: 0 }, ...over });
  };

  it("acknowledges the highest sequence number, and the same push again", async () => {
    const acked = { acked: world.gateway.lastWindow?.seq, lease: null };
    expect(await (await push()).json()).toEqual(acked);
    expect(await (await push()).json()).toEqual(acked);
  });

  it("S13: refuses a malformed window, windows of another gateway and too many of them, whole", async () => {
    const bad = { ...world.gateway.lastWindow, candidateBp: 10_001 };
    expect(await problem(await push({ windows: [world.gateway.lastWindow, bad] }))).toEqual([422, "invalid-document"]);
    expect(await problem(await push({ gateway_id: "g2" }))).toEqual([400, "bad-request"]);
    expect(await problem(await push({ windows: Array(501).fill({}) }))).toEqual([400, "bad-request"]);
    expect(await problem(await push({ windows: [] }))).toEqual([400, "bad-request"]);
    expect(await problem(await post("/v1/telemetry", `{"gateway_id":${"[".repeat(50_000)}`))).toEqual([
      400,
      "bad-request",
    ]);
    expect(await problem(await post("/v1/telemetry", '{"__proto__":{"x":1}}'))).toEqual([400, "bad-request"]);
  });
});

describe("GET /v1/routing/{service}", () => {
  it("answers the document with an ETag, and 304 to who has it", async () => {
    await apply();
    await world.run(4);
    const response = await get("/v1/routing/support-rag");
    expect(await response.json()).toMatchObject({ epoch: 1, seq: 1, candidateBp: 2_000 });
    expect(response.headers.get("etag")).toBe('"1.1"');
    expect((await get("/v1/routing/support-rag", { "if-none-match": '"1.1"' })).status).toBe(304);
  });

  it("streams the current document at once and then each new one", async () => {
    await apply();
    await world.run(4);
    const response = await get("/v1/routing/support-rag", { accept: "text/event-stream" });
    const reading = events(response, 2);
    await post("/v1/rollouts/support-rag-7/abort");
    await world.run(2);
    expect((await reading).map(({ event, id }) => [event, id])).toEqual([
      ["routing", "1.1"],
      ["routing", "2.1"],
    ]);
  });
});

describe("GET /v1/events", () => {
  it("resumes after the last id, across a restart, and says when something is lost", async () => {
    await apply();
    await world.run(8);
    const all = await events(await get("/v1/events", { "last-event-id": "0" }), 5);
    expect(all[0]?.data).toMatch(/events were lost/);
    const third = all[2]?.id ?? "";
    const rest = await events(await get("/v1/events", { "last-event-id": third }), 2);
    expect(rest.slice(0, 2).map(({ id }) => id)).toEqual(all.slice(3, 5).map(({ id }) => id));
    await world.controller.stop();
    await world.open();
    app = serve();
    await world.run(1);
    const after = await events(await get("/v1/events", { "last-event-id": third }), 1);
    expect(after[0]?.data).toMatch(/events were lost/);
    expect(Number(world.controller.feed.since(0)[0]?.id ?? Number.MAX_SAFE_INTEGER)).toBeGreaterThan(Number(third));
  });

  it("sends a heartbeat when nothing happens, and ends when the controller stops", async () => {
    const response = await get("/v1/events");
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await world.clock.advance(10_000);
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(": heartbeat\n\n");
    stopped.abort();
    expect((await reader.read()).done).toBe(true);
  });
});

describe("GET /v1/rollouts, /v1/verdicts and /metrics", () => {
  it("tells phase, stage, shares, counts, verdicts, times and what comes next", async () => {
    await apply();
    await world.run(8);
    const status = (await (await get("/v1/rollouts/support-rag-7")).json()) as Status;
    expect(status).toMatchObject({
      id: "support-rag-7",
      generation: 1,
      phase: "progressing",
      stage: { index: 0, count: 2, name: "20%" },
      share: {
        ordered_bp: 2_000,
        document: { epoch: 1, seq: 1 },
        measured_requests_bp: 2_000,
        measured_units_bp: 2_000,
      },
      traffic: { lost_windows: 0 },
      detect_ms: null,
      rollback_ms: null,
      exit_code: null,
    });
    expect(status.verdicts.map(({ gate }) => gate)).toContain("error-rate");
    const list = (await (await get("/v1/rollouts")).json()) as { rollouts: Status[] };
    expect(list.rollouts.map(({ id }) => id)).toEqual(["support-rag-7"]);
    const verdicts = (await (await get("/v1/verdicts/support-rag-7")).json()) as {
      verdicts: unknown[];
      reports: unknown[];
    };
    expect(verdicts.verdicts).toEqual(status.verdicts);
    const metrics = await (await get("/metrics")).text();
    const labels = 'rollout="support-rag-7",service="support-rag",release_id="r-candidate"';
    expect(metrics).toContain(`sluice_candidate_share_bp{${labels},revision="2026-01-01T00:00:00Z"} 2000`);
  });

  it("tells how long detection and the way back took once a gate took the candidate back", async () => {
    world.gateway.failureShare = 1;
    await apply();
    await world.run(20);
    const status = (await (await get("/v1/rollouts/support-rag-7")).json()) as Status;
    expect(status).toMatchObject({ phase: "rolled-back", exit_code: 10, cause: { gate: "error-rate" } });
    expect(status.detect_ms).toBeGreaterThan(0);
    expect(status.rollback_ms).toBeGreaterThanOrEqual(0);
    expect(status.rollback_ms).toBeLessThanOrEqual(500);
  });
});
