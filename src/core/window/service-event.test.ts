import { describe, expect, it } from "vitest";
import { readServiceEvent, signalsOf } from "./service-event.ts";

const read = (json: unknown) => readServiceEvent(JSON.stringify(json));
const signals = (json: unknown) => signalsOf(read(json) ?? {}, (writer) => writer === "other", null);

describe("what a service says of its answer", () => {
  it("is taken field by field: unknown names and values of another kind are left out", () => {
    expect(
      read({
        latency_ms: { retrieve: 12, rerank: "8", secret: 1 },
        cache: { hit: "yes", written_by: "r-1" },
        retrieval: { k: -1, lambda_state: "→" },
        user: { name: "alice" },
        queue: 7,
      }),
    ).toEqual({ latency_ms: { retrieve: 12 }, cache: { written_by: "r-1" }, retrieval: { lambda_state: "→" } });
  });

  it.each(["alice@example.org", "what is my balance", "https://a.example/?q=1", "a".repeat(129), "ü"])(
    "takes no word that could say who asked or what: %s",
    (word) => {
      expect(read({ egress: { webhook: word }, tools: [{ name: word, args_digest: "d" }] })).toEqual({ tools: [] });
    },
  );

  it.each(["", "[]", "null", "7", "{", "{}", `{"latency_ms":{"retrieve":1}${" ".repeat(4_096)}}`])(
    "is nothing where it cannot be read: %s",
    (text) => {
      expect(readServiceEvent(text)).toBeNull();
    },
  );

  it("counts as watched what was said, 0 included, and nothing else", () => {
    expect(signals({ cache: { hit: false, written_by: "r" }, effects: { duplicate: 0, lost: 0 } })).toEqual({
      counters: { cacheLookups: 1, cacheHits: 0, cacheCollisions: 0, duplicateEffects: 0, lostWrites: 0 },
      gauges: {},
      timings: {},
    });
    expect(signals({ cache: { hit: true, written_by: "other" } }).counters.cacheCollisions).toBe(1);
    expect(signals({ cache: { hit: false, written_by: "other" } }).counters.cacheCollisions).toBe(0);
    expect(signals({ egress: { tries: 0 } }).counters).toEqual({ retries: 0 });
  });

  it("never counts more suppressed deliveries than repeated ones, which would have the window refused", () => {
    expect(signals({ effects: { repeat: 1, suppressed: 3 } }).counters).toEqual({
      repeatDeliveries: 1,
      suppressedDeliveries: 1,
    });
    expect(signals({ effects: { suppressed: 3 } }).counters).toEqual({});
  });
});
