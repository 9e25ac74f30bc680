import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { readAnswer, refusalText } from "./render.ts";

const NOW = epochMs(1_800_000_010_000);
const BEGAN = 1_800_000_000_000;
const ORDER = { query: "avg:rag.errors{*}", maxAgeMs: 60_000 };

const series = (pointlist: unknown, interval = 10) => ({ interval, pointlist, scope: "*", metric: "rag.errors" });
const read = (...all: unknown[]) => readAnswer(JSON.stringify({ status: "ok", series: all }), ORDER, NOW);
const reason = (text: string) => expect.stringContaining(text);

describe("an answer of Datadog", () => {
  it("is the newest number of an interval that has ended, at its end", () => {
    const points = [
      [BEGAN - 10_000, 1],
      [BEGAN, 2],
      [BEGAN + 10_000, 3],
    ];
    expect(read(series(points))).toEqual({ kind: "value", value: 2, atEpochMs: BEGAN + 10_000 });
  });

  it("passes over the nulls that come late, as long as the last number is fresh", () => {
    const points = [
      [BEGAN - 10_000, 1],
      [BEGAN, null],
    ];
    expect(read(series(points))).toEqual({ kind: "value", value: 1, atEpochMs: BEGAN });
  });

  it.each([
    ["no series", [], "no series"],
    ["no points", [series([])], "0 points"],
    ["nulls alone", [series([[BEGAN, null]])], "1 null"],
    ["a running interval alone", [series([[BEGAN, 4]], 60)], "has ended"],
    ["an old number", [series([[BEGAN - 300_000, 4]])], "older than the 60000 ms allowed"],
  ])("has no data with %s", (_, all, text) => {
    expect(read(...all)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    ["two series", [series([[BEGAN, 1]]), series([[BEGAN, 1]])], "found 2 series"],
    ["a text for a number", [series([[BEGAN, "4"]])], '"4" (string)'],
    ["a time ahead", [series([[BEGAN + 3_600_000, 4]])], "ms ahead"],
    ["a negative time", [series([[-1, 4]])], "has the time -1"],
    ["an interval of nothing", [series([[BEGAN, 4]], 0)], "no answer of Datadog"],
  ])("is an error with %s", (_, all, text) => {
    expect(read(...all)).toEqual({ kind: "error", reason: reason(text) });
  });

  it("is an error where the status or a message says so, though it came with a series", () => {
    const whole = series([[BEGAN, 1]]);
    for (const document of [
      { status: "error", error: "Rule 'scope_expr' didn't match" },
      { status: "ok", error: "one source timed out", series: [whole] },
    ])
      expect(readAnswer(JSON.stringify(document), ORDER, NOW)).toEqual({ kind: "error", reason: reason("Datadog ") });
  });

  it("reads infinity as an error, which JSON has no word for", () => {
    const body = `{"status":"ok","series":[{"interval":10,"pointlist":[[${BEGAN},1e999]]}]}`;
    expect(readAnswer(body, ORDER, NOW)).toEqual({ kind: "error", reason: reason("Infinity") });
  });

  it("tells the words of a refusal in either of its shapes", () => {
    expect(refusalText('{"errors":["a","b"]}')).toBe("a; b");
    expect(refusalText('{"status":"error","error":"c"}')).toBe("c");
    expect(refusalText("<html>")).toBe("");
  });
});
