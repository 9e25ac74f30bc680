import { describe, expect, it } from "vitest";
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
  httpHealth(systemClock(), answer as typeof fetch).read("http://127.0.0.1/healthz/ready", signal);

describe("the health reader", () => {
  it("reads the identity and leaves everything else out", async () => {
    const answer = await read(async () => Response.json({ ready: true, ...identity, uptime_s: 5 }));
    expect(answer).toEqual({ kind: "read", manifest: identity });
  });

  it.each([
    ["a 503 while loading", async () => Response.json({ ready: false, ...identity }, { status: 503 }), "status 503"],
    ["ready: false", async () => Response.json({ ready: false, ...identity }), "not ready"],
    ["a missing field, by name", async () => Response.json({ ready: true, ...identity, METRIC: undefined }), "METRIC"],
    ["a page instead of JSON", async () => new Response("<html>"), "the whole answer"],
    [
      "no connection",
      () => Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } })),
      "ECONNREFUSED",
    ],
  ] as const)("says why %s cannot be read, and never throws (X-31)", async (_, answer, reason) => {
    expect(await read(answer as () => Promise<Response>)).toEqual({
      kind: "unreadable",
      reason: expect.stringContaining(reason),
    });
  });
});
