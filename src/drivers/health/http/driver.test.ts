import { describe, expect, it } from "vitest";
import type { HealthMap } from "../../../core/release/health-map.ts";
import { systemClock } from "../../../host/system-clock.ts";
import { httpHealth } from "./driver.ts";

const identity = {
  release_id: "r1",
  INDEX_HASH: "i",
  METRIC: "cosine",
  ANALYZER: "a",
  EMBED_SCHEMA: "e",
  RERANK_CONF: "k",
  PROMPT_VER: "p",
  MODEL_VER: "m",
  SCHEMA_REV: { min: "sc-1", max: "sc-2" },
  secrets_rev: "s",
  BUILD_TS: "2026-01-01T00:00:00Z",
};
const signal = new AbortController().signal;
const read = (answer: () => Promise<Response>) =>
  httpHealth(systemClock(), { fetch: answer as typeof fetch }).read("http://127.0.0.1/healthz/ready", signal);

describe("the health reader", () => {
  it("IX-8, TE-15: reads the identity of a ready service and leaves everything else out", async () => {
    const answer = await read(async () => Response.json({ ready: true, ...identity, uptime_s: 5 }));
    expect(answer).toEqual({ kind: "read", manifest: identity });
  });

  it("tells every fault with its shape, so that an answer can be mended at once", async () => {
    const { SCHEMA_REV, BUILD_TS, ...rest } = identity;
    const answer = await read(async () =>
      Response.json({ ready: true, ...rest, SCHEMA_REV: SCHEMA_REV.min, METRIC: 7 }),
    );
    expect(answer.kind === "unreadable" && answer.reason).toBe(
      'not a health answer of the documented shape: METRIC is 7, expected a text; SCHEMA_REV is "sc-1", expected {"min":"sc-1","max":"sc-1"}; BUILD_TS is missing, expected a text',
    );
    expect(BUILD_TS).not.toBe("");
  });

  it("reads an answer of another shape by a map; what is not mapped is not stated", async () => {
    const healthMap: HealthMap = {
      ready: { pointer: "/status", is: "Up!" },
      fields: { release_id: { pointer: "/build/number" }, METRIC: { value: "cosine" } },
      schemaRev: { min: { pointer: "/schema" }, max: { pointer: "/schema" } },
    };
    const mapped = (body: unknown) =>
      httpHealth(systemClock(), { fetch: async () => Response.json(body) }).read("http://127.0.0.1/status", signal, {
        healthMap,
      });
    expect(await mapped({ status: "Up!", build: { number: 17 }, schema: "sc-2" })).toMatchObject({
      kind: "read",
      manifest: { release_id: "17", METRIC: "cosine", SCHEMA_REV: { min: "sc-2", max: "sc-2" }, INDEX_HASH: "-" },
    });
    expect(await mapped({ status: "Loading", build: { number: 17 }, schema: "sc-2" })).toMatchObject({
      reason: "the service says it is not ready",
    });
    expect(await mapped({ status: "Up!", schema: "sc-2" })).toMatchObject({
      reason: "healthMap: pointer /build/number (release_id) leads nowhere: the answer has status, schema",
    });
  });

  it.each([
    ["a 503 while loading", async () => Response.json({ ready: false, ...identity }, { status: 503 }), "status 503"],
    ["ready: false", async () => Response.json({ ready: false, ...identity }), "not ready"],
    ["no word of readiness", async () => Response.json(identity), "ready"],
    ...(["INDEX_HASH", "METRIC", "ANALYZER", "BUILD_TS"] as const).map(
      (field) =>
        [
          `a missing ${field}`,
          async () => Response.json({ ready: true, ...identity, [field]: undefined }),
          field,
        ] as const,
    ),
    ["a page instead of JSON", async () => new Response("<html>"), "not JSON: <html>"],
    [
      "no connection",
      () => Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } })),
      "ECONNREFUSED",
    ],
  ] as const)("IX-8, TE-15: says why %s cannot be read, and never throws (X-31)", async (_, answer, reason) => {
    expect(await read(answer as () => Promise<Response>)).toEqual({
      kind: "unreadable",
      reason: expect.stringContaining(reason),
    });
  });
});
