import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { freshnessQuery, judgeFreshness, readFreshness } from "./freshness.ts";
import { selectorsOf } from "./selectors.ts";

const NOW = epochMs(1_800_000_000_000);
const ORDER = { query: "", maxAgeMs: 60_000 };

function selectors(query: string) {
  const reads = selectorsOf(query);
  return reads.kind === "found" ? reads.selectors : [];
}

/** What a server says of a query: its tags, each with an age in seconds (or a count, for windows). */
function judge(query: string, answer: Readonly<Record<string, number>>) {
  const seconds = NOW / 1_000;
  const result = Object.entries({ clock: 0, ...answer }).map(([tag, ageSeconds]) => {
    const value = tag.endsWith("window") ? ageSeconds : seconds - ageSeconds;
    return { metric: { sluice_reads: tag }, value: [seconds, String(value)] };
  });
  const body = JSON.stringify({ status: "success", data: { resultType: "vector", result } });
  const freshness = readFreshness(body, selectors(query));
  return freshness === null ? null : judgeFreshness(freshness, ORDER, NOW);
}
const at = (ageSeconds: number) => ({ kind: "fresh", atEpochMs: NOW - ageSeconds * 1_000 });
const noData = (reason: string) => ({ kind: "no-data", reason: expect.stringContaining(reason) });

describe("the question of the age", () => {
  it("asks for every selector on its own, because timestamp() of an expression is the time of the evaluation", () => {
    const query = freshnessQuery(selectors("sum(rate(a[5m])) / b # note"));
    expect(query.replaceAll("\n", "")).toBe(
      [
        'label_replace(vector(1), "sluice_reads", "clock", "", "")',
        'label_replace(max(timestamp(a)), "sluice_reads", "0 newest", "", "")',
        'label_replace(min(timestamp(a)), "sluice_reads", "0 oldest", "", "")',
        'label_replace(count(count_over_time(a[300000ms])), "sluice_reads", "0 window", "", "")',
        'label_replace(max(timestamp(b)), "sluice_reads", "1 newest", "", "")',
        'label_replace(min(timestamp(b)), "sluice_reads", "1 oldest", "", "")',
      ].join(" or "),
    );
  });
});

describe("the age of what a query reads", () => {
  it("is that of its oldest selector", () => {
    expect(judge("a / b", { "0 newest": 1, "0 oldest": 2, "1 newest": 3, "1 oldest": 9 })).toEqual(at(9));
  });

  it("is stale beyond maxAgeMs = 60 s and says both times; 60 s itself is fresh", () => {
    expect(judge("a", { "0 newest": 60, "0 oldest": 60 })).toEqual(at(60));
    expect(judge("a", { "0 newest": 61, "0 oldest": 61 })).toEqual({
      kind: "no-data",
      reason:
        "a sample of a is of 2027-01-15T07:58:59.000Z and now is 2027-01-15T08:00:00.000Z: older than the 60000 ms allowed",
    });
  });

  it("is stale when one of several series read now is, however new the others are", () => {
    expect(judge("sum(a)", { "0 newest": 1, "0 oldest": 61 })).toEqual(noData("a sample of a"));
  });

  it("is that of the newest series in a window, where ended series are welcome", () => {
    expect(judge("sum(rate(a[5m]))", { "0 newest": 1, "0 oldest": 61, "0 window": 4 })).toEqual(at(1));
    expect(judge("sum(rate(a[5m]))", { "0 newest": 61, "0 oldest": 61, "0 window": 4 })).toEqual(
      noData("a sample of a"),
    );
  });

  it("is that of the oldest series of a selector beside a subquery, which is read now", () => {
    const fresh = { "0 newest": 1, "0 oldest": 1, "0 window": 1, "1 window": 1 };
    const query = "max_over_time(rate(a[1m])[5m:]) / sum(b)";
    expect(judge(query, { ...fresh, "1 newest": 1, "1 oldest": 2 })).toEqual(at(2));
    expect(judge(query, { ...fresh, "1 newest": 1, "1 oldest": 61 })).toEqual(noData("a sample of b"));
    expect(judge(query, fresh)).toEqual(noData("b has samples in its window"));
  });

  it("is stale when a window holds samples that nothing reports any more, though rate() still gives a number", () => {
    expect(judge("rate(a[5m])", { "0 window": 1 })).toEqual(noData("nothing reports it any more"));
    expect(judge("rate(a[5m]) / rate(b[5m])", { "0 window": 1, "1 newest": 1, "1 oldest": 1, "1 window": 1 })).toEqual(
      noData("nothing reports it any more"),
    );
  });

  it("is not known of a default alone: `or vector(0)` turns a dead target into zero errors", () => {
    expect(judge("sum(rate(a[5m])) or vector(0)", {})).toEqual(noData("nothing reports a,"));
    expect(judge("(sum(a) or vector(0)) / sum(b)", { "1 newest": 1, "1 oldest": 2 })).toEqual(at(2));
  });

  it("is not known of constants and of parts moved in time", () => {
    for (const query of ["vector(1)", "time()", "a offset 1d"])
      expect(judge(query, {})).toEqual({ kind: "error", reason: expect.stringContaining("reads no series of now") });
  });

  it("is stale, not absent, when its time is before 1970 or cannot be read", () => {
    const fresh = { "0 newest": 1, "0 oldest": 1 };
    for (const ageSeconds of [2e9, Number.NaN])
      expect(judge("a / b", { ...fresh, "1 newest": 1, "1 oldest": ageSeconds })).toEqual(
        noData("of 1970-01-01T00:00:00"),
      );
  });

  it("is an error more than 5 s ahead", () => {
    expect(judge("a", { "0 newest": -5, "0 oldest": -5 })).toEqual(at(-5));
    expect(judge("a", { "0 newest": -6, "0 oldest": -6 })).toMatchObject({ kind: "error" });
  });

  it("is not read from an answer without the server's clock, nor from another type", () => {
    const scalar = { resultType: "scalar", result: [1, "1"] };
    const empty = { resultType: "vector", result: [] };
    for (const data of [scalar, empty])
      expect(readFreshness(JSON.stringify({ status: "success", data }), selectors("a"))).toBeNull();
    expect(readFreshness("<html>", [])).toBeNull();
  });
});
