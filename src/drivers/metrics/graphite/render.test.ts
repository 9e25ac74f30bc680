import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { readAnswer, refusalText } from "./render.ts";

const BEGAN_S = 1_800_000_000;
const NOW = epochMs(BEGAN_S * 1_000 + 10_000);
const ORDER = { query: "rag.errors", maxAgeMs: 60_000 };

const series = (...datapoints: unknown[]) => ({ target: "rag.errors", datapoints });
const read = (...all: unknown[]) => readAnswer(JSON.stringify(all), ORDER, NOW);
const reason = (text: string) => expect.stringContaining(text);

describe("an answer of Graphite", () => {
  it("is the newest number of an interval that has ended, at its end", () => {
    const found = read(series([1, BEGAN_S - 10], [2, BEGAN_S], [3, BEGAN_S + 10]));
    expect(found).toEqual({ kind: "value", value: 2, atEpochMs: NOW });
  });

  it("passes over the nulls of intervals without a report, and of the one that still runs", () => {
    const found = read(series([1, BEGAN_S - 20], [null, BEGAN_S - 10], [null, BEGAN_S]));
    expect(found).toEqual({ kind: "value", value: 1, atEpochMs: NOW - 20_000 });
  });

  it.each([
    ["no series", [], "no series"],
    ["no points", [series()], "0 points"],
    ["one point", [series([1, BEGAN_S])], "cannot be told"],
    ["nulls alone", [series([null, BEGAN_S - 10], [null, BEGAN_S])], "2 null"],
    ["an old number", [series([4, BEGAN_S - 310], [null, BEGAN_S - 300])], "older than the 60000 ms allowed"],
  ])("has no data with %s", (_, all, text) => {
    expect(read(...all)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    ["two series", [series([1, BEGAN_S]), series([1, BEGAN_S])], "found 2 series"],
    ["a text", [series([1, BEGAN_S - 10], ["4", BEGAN_S])], '"4" (string)'],
    ["a time ahead", [series([1, BEGAN_S], [4, BEGAN_S + 3_600])], "ms ahead"],
    ["a negative time", [series([1, BEGAN_S], [4, -10])], "has the time"],
    ["a point without a time", [series([1])], "no answer of the render API"],
  ])("is an error with %s", (_, all, text) => {
    expect(read(...all)).toEqual({ kind: "error", reason: reason(text) });
  });

  it.each(["NaN", "1e9999", "-1e9999"])("is an error where the newest number is %s", (text) => {
    const body = `[{"target":"t","datapoints":[[1,${BEGAN_S - 10}],[${text},${BEGAN_S}]]}]`;
    expect(readAnswer(body, ORDER, NOW).kind).toBe("error");
  });

  it("tells the line of a refusal, and nothing of a page or of a stack", () => {
    expect(refusalText('Unknown function "avgg"\n')).toBe('Unknown function "avgg"');
    expect(refusalText("<html>secret</html>")).toBe("");
    expect(refusalText("Traceback (most recent call last):")).toBe("");
  });
});
