import { describe, expect, it } from "vitest";
import type { Pins, Serves } from "../../core/routing/schema-lock.ts";
import { idempotency, notExecuted } from "../idempotency.ts";
import { memoryFence } from "../memory-store.ts";
import { checkPins, checkServes, pinHeaders, readPins } from "./check-pins.ts";
import { schemaLock, type SchemaLockOptions } from "./schema-lock.ts";

const SERVES: Serves = {
  schemaRev: { min: "sc-10", max: "sc-12" },
  indexHash: ["9a77", "9a78"],
  modelTag: ["acme/m@3#1f2e3d4c"],
};
const PINS = { schemaRev: "sc-11", indexHash: "9a77", modelTag: "acme/m@3#1f2e3d4c" };

/** A service that counts what reaches it. */
function aService(options: Partial<SchemaLockOptions> = {}) {
  const seen: Request[] = [];
  const handle = schemaLock({ serves: SERVES, ...options })((request) => {
    seen.push(request);
    return Response.json({ answer: "ok" });
  });
  const ask = (pins: Pins, path = "/answer") => handle(new Request(`http://rag${path}`, { headers: pinHeaders(pins) }));
  return { seen, handle, ask };
}
const served = (response: Response) =>
  ["x-schema-rev", "x-index-hash", "x-model-tag"].map((name) => response.headers.get(name));

describe("schemaLock", () => {
  it("lets matching pins through, and X-13: returns the pins of the service with the answer", async () => {
    const { seen, ask } = aService();
    const response = await ask(PINS);
    expect([response.status, await response.json(), seen.length]).toEqual([200, { answer: "ok" }, 1]);
    expect(served(response)).toEqual(["sc-10..sc-12", "9a77, 9a78", "acme/m@3#1f2e3d4c"]);
  });

  it.each([
    [{ ...PINS, schemaRev: "sc-14" }, 409, "schema-behind", { schemaRev: "sc-14" }],
    [{ ...PINS, schemaRev: "sc-9" }, 409, "schema-unsupported", { schemaRev: "sc-9" }],
    [{ ...PINS, indexHash: "41cc" }, 409, "index-mismatch", { indexHash: "41cc" }],
    [{ ...PINS, modelTag: "acme/m@4#00" }, 409, "model-mismatch", { modelTag: "acme/m@4#00" }],
    [
      { ...PINS, schemaRev: "sc-13", indexHash: "41cc" },
      409,
      "schema-behind",
      { schemaRev: "sc-13", indexHash: "41cc" },
    ],
    [{ ...PINS, indexHash: null }, 400, "pin-missing", null],
    [{}, 400, "pin-missing", null],
  ] as const)("SL-1, SL-2: %j is answered %i %s and not executed", async (pins, status, problem, retry) => {
    const refused: unknown[] = [];
    const { seen, ask } = aService({ onRefuse: (one, request) => refused.push([one.type, request.url]) });
    const response = await ask(pins);
    expect([response.status, seen.length]).toEqual([status, 0]);
    expect(await response.json()).toMatchObject({
      type: `urn:sluice:problem:${problem}`,
      status,
      retry: retry === null ? { action: "correct-pins" } : { action: "route-to-match", pins: retry },
    });
    expect(refused).toEqual([[`urn:sluice:problem:${problem}`, "http://rag/answer"]]);
    const headers = ["content-type", "cache-control", "retry-after"].map((name) => response.headers.get(name));
    expect(headers).toEqual(["application/problem+json", "no-store", null]);
    expect(served(response)[0]).toBe("sc-10..sc-12");
    expect([(await ask(PINS)).status, seen.length]).toEqual([200, 1]); // Behind for those pins, for no others.
  });

  it.each([
    ["x-schema-rev", "14"],
    ["x-schema-rev", "sc-11, sc-12"],
    ["x-index-hash", "9a77, 9a77"],
    ["x-model-tag", ""],
  ])("answers 400 pin-malformed to %s: %j", async (name, value) => {
    const { seen, handle } = aService();
    const response = await handle(new Request("http://rag/", { headers: { ...pinHeaders(PINS), [name]: value } }));
    expect([response.status, seen.length]).toEqual([400, 0]);
    expect(await response.json()).toMatchObject({ type: "urn:sluice:problem:pin-malformed" });
  });

  it("allowMissing lets a request without pins through, and still refuses a wrong one", async () => {
    const { ask } = aService({ allowMissing: true });
    expect((await ask({})).status).toBe(200);
    expect((await ask({ indexHash: "41cc" })).status).toBe(409);
  });

  it("applies exempts a health check from the comparison, not from the answer's pins", async () => {
    const { ask } = aService({ applies: (request) => !request.url.endsWith("/healthz/ready") });
    const response = await ask({}, "/healthz/ready");
    expect([response.status, served(response)[1]]).toEqual([200, "9a77, 9a78"]);
    expect((await ask({})).status).toBe(400);
  });

  it("serves is asked for every request, so that a swapped index locks the next one", async () => {
    let serves: Serves = SERVES;
    const { ask } = aService({ serves: () => serves });
    expect((await ask({ ...PINS, indexHash: "41cc" })).status).toBe(409);
    serves = { ...SERVES, indexHash: ["41cc"] };
    const response = await ask({ ...PINS, indexHash: "41cc" });
    expect([response.status, served(response)[1]]).toEqual([200, "41cc"]);
    expect((await ask(PINS)).status).toBe(409);
    serves = { ...SERVES, indexHash: [] };
    await expect(ask(PINS)).rejects.toThrow(/serves.indexHash: found 0 items/);
  });

  it("stamps answers whose headers cannot be changed, and keeps streams and cookies", async () => {
    const upstream = Response.redirect("http://rag/else", 303); // Immutable, as what fetch returns.
    expect(() => upstream.headers.set("a", "b")).toThrow(TypeError);
    const response = await schemaLock({ serves: SERVES })(() => upstream)(
      new Request("http://rag/", { headers: pinHeaders(PINS) }),
    );
    expect([response.status, response.headers.get("location")]).toEqual([303, "http://rag/else"]);
    expect(served(response)[0]).toBe("sc-10..sc-12");
  });

  it("hands on what a runtime passes beside the request", async () => {
    const handle = schemaLock({ serves: SERVES })((_, env: { readonly name: string }) => new Response(env.name));
    const response = await handle(new Request("http://rag/", { headers: pinHeaders(PINS) }), { name: "worker" });
    expect(await response.text()).toBe("worker");
  });

  it("inside idempotency a refusal is not stored: the key is free for the revision that serves it", async () => {
    let serves: Serves = SERVES;
    let runs = 0;
    const lock = schemaLock({ serves: () => serves });
    const handler = lock(async () => Response.json({ run: ++runs }, { status: 201 }));
    const fence = idempotency({
      store: memoryFence(),
      scope: () => ({ tenant: "t", principal: "p", route: "/charges" }),
    }).wrap(handler);
    const send = () => {
      const headers = { ...pinHeaders({ ...PINS, schemaRev: "sc-13" }), "idempotency-key": "k1" };
      return fence(new Request("http://rag/charges", { method: "POST", headers, body: "{}" }));
    };
    expect([(await send()).status, (await send()).status, runs]).toEqual([409, 409, 0]);
    serves = { ...SERVES, schemaRev: { min: "sc-10", max: "sc-13" } };
    expect([(await send()).status, (await send()).headers.get("idempotent-replayed"), runs]).toEqual([201, "true", 1]);
  });

  it("keeps the mark of an answer that was not executed", async () => {
    let runs = 0;
    const handler = schemaLock({ serves: SERVES })(() => {
      runs++;
      return notExecuted(new Response(null, { status: 422 }));
    });
    const fence = idempotency({ store: memoryFence(), scope: () => ({ tenant: "t", principal: "p", route: "/" }) });
    for (let i = 0; i < 2; i++) {
      const headers = { ...pinHeaders(PINS), "idempotency-key": "k" };
      await fence.wrap(handler)(new Request("http://rag/", { method: "POST", headers, body: "{}" }));
    }
    expect(runs).toBe(2);
  });

  it("throws a TypeError that lists what is wrong with serves", () => {
    const bad = { schemaRev: { min: "sc-12", max: "sc-10" }, indexHash: [], modelTag: null };
    expect(() => schemaLock({ serves: bad })).toThrow(
      "schema lock: serves.indexHash: found 0 items, expected a list of 1..16 items; serves.schemaRev: min is above max",
    );
    expect(() => checkServes({ indexHash: ["a"] } as unknown as Serves)).toThrow(/serves.schemaRev: missing/);
    expect(checkServes(SERVES)).toBe(SERVES);
  });
});

describe("checkPins", () => {
  it("SL-4, IX-13: a writer of another index takes no message of this one, and says why", () => {
    const writer: Serves = { schemaRev: { min: "sc-12", max: "sc-14" }, indexHash: ["41cc"], modelTag: null };
    expect(checkPins({ schemaRev: "sc-12", indexHash: "41cc" }, writer)).toEqual({ kind: "served" });
    expect(checkPins({ schemaRev: "sc-12", indexHash: "9a77" }, writer)).toMatchObject({
      kind: "refused",
      problem: { status: 409, differences: [{ field: "indexHash", wanted: "9a77", serves: ["41cc"] }] },
    });
  });

  it("IX-13: never takes silence for a match, unless told to", () => {
    expect(checkPins({}, SERVES)).toMatchObject({ kind: "refused", problem: { status: 400 } });
    expect(checkPins({}, SERVES, { allowMissing: true })).toEqual({ kind: "served" });
  });

  it("answers with a value to whatever a message holds", () => {
    for (const value of [0, true, [], {}, "\ud800", "sc-1\n", Number.NaN]) {
      const pins = JSON.parse(JSON.stringify({ schemaRev: value, indexHash: value, modelTag: value })) as Pins;
      expect(checkPins(pins, SERVES).kind).toBe("refused");
    }
  });
});

describe("pinHeaders and readPins", () => {
  it("are each other's inverse", () => {
    const headers = new Headers(pinHeaders(PINS));
    expect(readPins((name) => headers.get(name))).toEqual(PINS);
    expect(pinHeaders({ schemaRev: "sc-1", indexHash: null })).toEqual({ "x-schema-rev": "sc-1" });
    expect(readPins(() => undefined)).toEqual({ schemaRev: null, indexHash: null, modelTag: null });
  });

  it.each([
    [{ schemaRev: "14" }, "schemaRev"],
    [{ indexHash: "a b" }, "indexHash"],
    [{ modelTag: "m\r\nx-exp: candidate" }, "modelTag"],
  ])("pinHeaders throws a TypeError on %j", (pins, name) => {
    expect(() => pinHeaders(pins)).toThrow(`pinHeaders: ${name} is`);
  });
});
