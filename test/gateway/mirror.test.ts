import { describe, expect, it } from "vitest";
import type { ShadowOrder } from "../../src/core/routing/shadow.ts";
import { bp } from "../../src/core/unit.ts";
import { NO_TERMS } from "../../src/core/routing/document.ts";
import { countBins, quantileOf } from "../../src/core/window/sketch.ts";
import { countPairs, EMPTY_SHADOW, mergeShadow, type ShadowWindow } from "../../src/core/window/shadow-window.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { systemClock } from "../../src/fence/system.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { closedAfterEach, originsIn } from "./closed-after-each.ts";
import { aDocument, aGateway, anOrigin, eventually, get } from "./world.ts";

const open = closedAfterEach();
const origin = originsIn(open);

const ORDER: ShadowOrder = {
  shareBp: bp(10_000),
  perSecond: 10_000,
  inFlight: 64,
  bodyBytes: 65_536,
  timeoutMs: 5_000,
  methods: ["GET", "POST"],
  paths: [],
  headers: [],
  effects: "deny",
};

/** A gateway that mirrors stable's requests to the candidate, and what its windows said of it. */
async function mirrored(
  stable: string,
  candidate: string,
  order: Partial<ShadowOrder> = {},
  options: Partial<GatewayOptions> = {},
) {
  const windows: TelemetryWindow[] = [];
  const document = aDocument(stable, candidate, {
    ...NO_TERMS,
    version: 2,
    candidateBp: bp(0),
    drainMs: 500,
    shadow: { ...ORDER, ...order },
  });
  const gateway = await aGateway(document, { onWindow: (window) => windows.push(window), ...options });
  open.push(() => gateway.drain());
  let { seq } = document;
  const seen = (): ShadowWindow => {
    gateway.adopt({ ...document, seq: ++seq });
    return windows.reduce((sum, { shadow }) => (shadow === undefined ? sum : mergeShadow(sum, shadow)), EMPTY_SHADOW);
  };
  return { gateway, windows, seen, document };
}

const user = (id: string) => ({ headers: { "x-user-id": id } });

describe("the mirror", () => {
  it("asks the candidate the same and gives its answer to nobody, and counts the pair", async () => {
    const stable = await origin();
    const candidate = await origin((_seen, res) => void res.writeHead(200, { "set-cookie": "a=b" }).end("other"));
    const { gateway, seen, windows } = await mirrored(stable.url, candidate.url);
    const post = { method: "POST", headers: { "content-type": "application/json" } };
    const got = await get(`${gateway.url}/answer?q=1`, post, '{"q":"why"}');
    expect([got.headers["x-sluice-arm"], got.headers["set-cookie"], JSON.parse(got.body).arm]).toEqual([
      "stable",
      undefined,
      "stable",
    ]);
    expect(await eventually(() => candidate.seen.length === 1)).toBe(true);
    const [copy] = candidate.seen;
    expect([copy?.method, copy?.url, copy?.body]).toEqual(["POST", "/answer?q=1", '{"q":"why"}']);
    expect(await eventually(() => countPairs(seen().pairs) === 1)).toBe(true);
    const { pairs, warm, otherStatus, left, chosen } = seen();
    expect([pairs.bothOk, otherStatus, chosen, countBins(warm.stable), countBins(warm.candidate)]).toEqual([
      1, 0, 1, 1, 1,
    ]);
    expect(left).toEqual({ busy: 0, body: 0, gone: 0, late: 0 });
    const users = windows.map(({ arms }) => [
      arms.stable.requestsAll,
      arms.candidate.requestsAll,
      arms.candidate.probes,
    ]);
    expect(users.reduce((sum, one) => sum.map((count, at) => count + (one[at] ?? 0)), [0, 0, 0])).toEqual([1, 0, 0]);
  });

  it("copies a body that is streamed, and none that is longer than allowed", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const { gateway, seen } = await mirrored(stable.url, candidate.url, { bodyBytes: 40_000 });
    const post = { method: "POST" };
    const long = "x".repeat(40_000);
    await get(gateway.url, { ...post, headers: { "content-length": "40000" } }, long);
    await get(gateway.url, { ...post, headers: { "transfer-encoding": "chunked" } }, long);
    await get(gateway.url, { ...post, headers: { "content-length": "40001" } }, `${long}y`);
    await get(gateway.url, { ...post, headers: { "transfer-encoding": "chunked" } }, `${long}y`);
    expect(stable.seen.map(({ body }) => body.length)).toEqual([40_000, 40_000, 40_001, 40_001]);
    expect(await eventually(() => candidate.seen.length === 2)).toBe(true);
    expect(candidate.seen.map(({ body }) => body === long)).toEqual([true, true]);
    expect(seen()).toMatchObject({ chosen: 4, left: { body: 2 } });
  });

  it("counts which arm failed, and failures that repeat for one user once", async () => {
    const says = (seen: { url: string }, res: { writeHead(status: number): { end(): void } }, me: string) =>
      void res.writeHead(seen.url.includes(me) ? 503 : 200).end();
    const stable = await origin((seen, res) => says(seen, res, "s"));
    const candidate = await origin((seen, res) => says(seen, res, "c"));
    const { gateway, seen } = await mirrored(stable.url, candidate.url);
    const paths = ["/", "/s", "/c", "/sc"];
    for (const id of ["u1", "u1", "u1", "u2"]) for (const path of paths) await get(gateway.url + path, user(id));
    expect(await eventually(() => candidate.seen.length === 16)).toBe(true);
    await eventually(() => countPairs(seen().pairs) === 16);
    const { pairs, first, classes, warm } = seen();
    expect(pairs).toEqual({ bothOk: 4, stableFailed: 4, candidateFailed: 4, bothFailed: 4 });
    expect(first).toEqual({ stableFailed: 2, candidateFailed: 0 }); // Each user's first one was stable's.
    expect(classes).toEqual({ "headers|5xx|503": 8 });
    expect(countBins(warm.candidate)).toBe(4);
  });

  it("no user waits for a copy, whatever the candidate does with it, and no failure of it is a user's", async () => {
    const stable = await origin();
    const silent = await origin(() => {});
    const { gateway, seen, windows } = await mirrored(stable.url, silent.url, { inFlight: 2, timeoutMs: 3_000 });
    const startMs = systemClock.monoMs();
    for (let count = 0; count < 20; count++) expect((await get(gateway.url)).status).toBe(200);
    expect(systemClock.monoMs() - startMs).toBeLessThan(3_000); // Nobody waited for the two that hang.
    expect(silent.seen.length).toBe(2);
    expect(await eventually(() => seen().pairs.candidateFailed === 2, 10_000)).toBe(true);
    expect(seen()).toMatchObject({ chosen: 20, classes: { "headers|timeout|ETIMEDOUT": 2 }, left: { busy: 18 } });
    expect(windows.every(({ arms, gatewayFailures }) => arms.candidate.failuresAll + gatewayFailures === 0)).toBe(true);
    expect(gateway.stats().gatewayFailures).toBe(0);
  });

  it("X-3: copies the share ordered within 2 %, at most so many a second, on connections of its own", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const ordered = await mirrored(stable.url, candidate.url, { shareBp: bp(5_000), inFlight: 256 });
    for (let count = 0; count < 40; count++)
      await Promise.all(Array.from({ length: 10 }, (_, at) => get(ordered.gateway.url, user(`u${at}`))));
    const { chosen } = ordered.seen();
    expect(Math.abs(chosen - 200)).toBeLessThanOrEqual(4); // 2 %
    const capped = await mirrored(stable.url, candidate.url, { perSecond: 5 });
    const sinceMs = systemClock.monoMs();
    for (let count = 0; count < 50; count++) await get(capped.gateway.url);
    const seconds = (systemClock.monoMs() - sinceMs) / 1_000;
    const { left, chosen: all } = capped.seen();
    expect(all).toBe(50);
    expect(all - left.busy).toBeGreaterThanOrEqual(5);
    expect(all - left.busy).toBeLessThanOrEqual(5 + 5 * seconds);
    const both = await origin((seen, res) => void (seen.headers["x-exp"] === "shadow" || res.end("ok")));
    const limits = { connectionsPerEndpoint: 1, waitingPerEndpoint: 1 };
    const shared = await mirrored(both.url, both.url, { inFlight: 1 }, { limits });
    for (let count = 0; count < 5; count++) expect((await get(shared.gateway.url)).status).toBe(200);
    expect(await eventually(() => both.seen.length === 6)).toBe(true); // One copy hangs, and nobody behind it.
  });

  it("X-4: tags a copy by name, request, revision and index, for the candidate and in the log; its cache is no arm's", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const lines: string[] = [];
    const facts = { revision: "git-7", indexHash: "0x9a77" };
    const made = await mirrored(stable.url, candidate.url, {}, { events: (text) => void lines.push(text) });
    const { arms } = made.document;
    const target = { releaseId: "rel-b", endpoints: [candidate.url], cachePrefix: "v2-cnr:", facts };
    made.gateway.adopt({ ...made.document, seq: 9, arms: { ...arms, candidate: target } });
    for (const path of ["/a", "/a", "/b"]) await get(made.gateway.url + path);
    expect(await eventually(() => lines.join("").includes('"/b"') || lines.join("").split("\n").length > 6)).toBe(true);
    const shadows = lines
      .join("")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ arm }) => arm === "shadow");
    expect(shadows.length).toBe(3);
    const told = candidate.seen.map(({ headers }) => headers);
    expect(shadows.map((one) => one.shadow_id)).toEqual(told.map((headers) => headers["x-sluice-shadow-id"]));
    expect(shadows.map((one) => one.req_hash)).toEqual(told.map((headers) => headers["x-sluice-request-hash"]));
    expect(new Set(shadows.map((one) => one.shadow_id)).size).toBe(3);
    expect([shadows[0].req_hash === shadows[1].req_hash, shadows[0].req_hash === shadows[2].req_hash]).toEqual([
      true,
      false,
    ]);
    expect(shadows[0]).toMatchObject({ model_rev: "git-7", index_hash: "0x9a77", status: 200, stable_status: 200 });
    expect(told[0]).toMatchObject({ "x-sluice-shadow": "1", "x-exp": "shadow", "x-cache-namespace": "v2-cnr:shadow:" });
  });

  it("keeps cookies, credentials, addresses and secret parameters from the candidate unless they are named", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const { gateway } = await mirrored(stable.url, candidate.url, { headers: ["x-tenant", "authorization"] });
    const headers = {
      cookie: "session=1",
      authorization: "Bearer a",
      "x-api-key": "k",
      "x-user-id": "u1",
      "x-tenant": "t1",
      "idempotency-key": "i1",
      "x-sluice-shadow": "2",
      accept: "text/plain",
    };
    await get(`${gateway.url}/a?q=why&api_key=1&accessToken=2&X-Amz-Signature=3&monkey=4`, { headers });
    expect(await eventually(() => candidate.seen.length === 1)).toBe(true);
    const [copy] = candidate.seen;
    expect(copy?.url).toBe("/a?q=why&monkey=4");
    const kept = Object.keys(copy?.headers ?? {}).sort();
    expect(kept).toEqual([
      "accept",
      "authorization",
      "connection",
      "host",
      "x-cache-namespace",
      "x-exp",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-sluice-request-hash",
      "x-sluice-shadow",
      "x-sluice-shadow-id",
      "x-tenant",
    ]);
    expect(copy?.headers["x-sluice-shadow"]).toBe("1");
  });

  it("copies no other method and path than the order names, no probe, and nothing once a document ends it", async () => {
    const [stable, candidate] = [await origin(), await origin()];
    const options = { trustedProxies: ["127.0.0.0/8"] };
    const { gateway, document, seen } = await mirrored(
      stable.url,
      candidate.url,
      { methods: ["GET"], paths: ["/answer"] },
      options,
    );
    await get(`${gateway.url}/answer`, { method: "POST" }, "x");
    for (const path of ["/", "/answers", "/other/answer"]) await get(gateway.url + path);
    await get(`${gateway.url}/answer`, { headers: { "x-warm": "true" } });
    await get(`${gateway.url}/answer/more?a=1`);
    expect(await eventually(() => candidate.seen.length === 1)).toBe(true);
    expect(candidate.seen[0]?.url).toBe("/answer/more?a=1");
    expect(seen().chosen).toBe(1);
    const { shadow: _, ...ended } = document;
    gateway.adopt({ ...ended, seq: 99 });
    await get(`${gateway.url}/answer`);
    await get(`${gateway.url}/answer`);
    expect(candidate.seen.length).toBe(1);
  });

  it("leaves out what cannot be compared: a user who went away and, for times, a cold start", async () => {
    const stable = await origin((seen, res) => {
      if (seen.url === "/never") return;
      res.writeHead(200, seen.url === "/cold" ? { "x-cold-start": "1" } : {}).end("x");
    });
    const candidate = await origin();
    const { gateway, seen } = await mirrored(stable.url, candidate.url);
    const left = get(`${gateway.url}/never`, { signal: AbortSignal.timeout(60) }).catch(() => {});
    await get(`${gateway.url}/cold`);
    await left;
    expect(await eventually(() => countPairs(seen().pairs) === 1 && seen().left.gone === 1)).toBe(true);
    expect(countBins(seen().warm.stable)).toBe(0);
    expect(candidate.seen.map(({ url }) => url)).toEqual(["/cold"]);
  });

  it("compares the time of stable with that of the candidate, each by itself", async () => {
    const slow = (ms: number) => anOrigin((_seen, res) => void setTimeout(() => res.end("x"), ms));
    const [stable, candidate] = [await slow(40), await slow(120)];
    open.push(
      () => stable.close(),
      () => candidate.close(),
    );
    const { gateway, seen } = await mirrored(stable.url, candidate.url);
    await get(gateway.url);
    expect(await eventually(() => countPairs(seen().pairs) === 1)).toBe(true);
    const { warm } = seen();
    expect(quantileOf(warm.stable, 1)).toBeLessThan(110);
    expect(quantileOf(warm.candidate, 1)).toBeGreaterThan(115);
  });
});
