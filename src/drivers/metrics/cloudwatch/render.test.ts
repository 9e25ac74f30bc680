import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { meaningOf, parseQueries, readAnswer, refusalText } from "./render.ts";

const NOW = epochMs(1_800_000_030_000);
const MINUTE_S = 1_799_999_940; // Ends 30 s before now.
const ORDER = { query: "m1", maxAgeMs: 300_000 };

const result = (Timestamps: unknown, Values: unknown, StatusCode = "Complete") => ({
  Id: "m1",
  Label: "errors",
  Timestamps,
  Values,
  StatusCode,
});
const read = (results: readonly unknown[], more: object = {}) =>
  readAnswer(JSON.stringify({ MetricDataResults: results, ...more }), 60_000, ORDER, NOW);
const reason = (text: string) => expect.stringContaining(text);

describe("an answer of GetMetricData", () => {
  it("is the newest value of a period that has ended, at its end", () => {
    expect(read([result([MINUTE_S + 60, MINUTE_S, MINUTE_S - 60], [9, 0.5, 7])])).toEqual({
      kind: "value",
      value: 0.5,
      atEpochMs: 1_800_000_000_000,
    });
  });

  it.each([
    ["no result", [], "no series"],
    ["no values", [result([], [])], "0 points"],
    ["neither list", [result(null, null)], "0 points"],
    ["a running period alone", [result([MINUTE_S + 60], [9])], "has ended"],
    ["an old value", [result([MINUTE_S - 600], [9])], "older than the 300000 ms allowed"],
  ])("has no data with %s", (_, results, text) => {
    expect(read(results)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    ["two results", [result([], []), result([], [])], {}, "found 2 series"],
    ["partial data", [result([MINUTE_S], [1], "PartialData")], {}, '"PartialData", expected "Complete"'],
    ["an internal error", [result([], [], "InternalError")], {}, '"InternalError"'],
    ["no right to a metric", [result([], [], "Forbidden")], {}, '"Forbidden"'],
    ["a further page", [result([MINUTE_S], [1])], { NextToken: "t" }, "further page"],
    ["a message", [result([MINUTE_S], [1])], { Messages: [{ Code: "MaxMetricsExceeded", Value: "v" }] }, "in part"],
    ["times without values", [result([MINUTE_S], [])], {}, "1 times and 0 values"],
    ["NaN as text", [result([MINUTE_S], ["NaN"])], {}, '"NaN" (string)'],
    ["milliseconds for seconds", [result([MINUTE_S * 1_000], [1])], {}, "ms ahead"],
  ])("is an error with %s", (_, results, more, text) => {
    expect(read(results, more)).toEqual({ kind: "error", reason: reason(text) });
  });

  it("is an error when it is an XML answer", () => {
    expect(readAnswer("<GetMetricDataResponse/>", 60_000, ORDER, NOW)).toEqual({
      kind: "error",
      reason: reason("not JSON"),
    });
  });
});

describe("a query of CloudWatch", () => {
  it("is an expression of one-minute periods", () => {
    expect(parseQueries(" SELECT MAX(Errors) FROM Rag ")).toEqual({
      list: [{ Id: "sluice", Expression: "SELECT MAX(Errors) FROM Rag", Period: 60 }],
      periodMs: 60_000,
    });
  });

  it("is a list whose longest period says when a point is whole", () => {
    const list = [
      { Id: "a", MetricStat: { Metric: { MetricName: "E" }, Period: 300, Stat: "Sum" }, ReturnData: false },
      { Id: "b", Expression: "a/2" },
    ];
    expect(parseQueries(JSON.stringify(list))).toEqual({ list, periodMs: 300_000 });
  });

  it("is told when it is no list, and when not exactly one of it returns data", () => {
    expect(parseQueries("[oops")).toEqual({ problem: reason("no JSON list") });
    expect(parseQueries("[]")).toEqual({ problem: reason("no JSON list") });
    const two = JSON.stringify([{ Id: "a" }, { Id: "b" }]);
    expect(parseQueries(two)).toEqual({ problem: reason("2 of the queries return data") });
  });
});

describe("a refusal of CloudWatch", () => {
  const body = (type: string) => JSON.stringify({ __type: `com.amazonaws.cloudwatch#${type}`, message: "why" });

  it.each([
    ["ThrottlingException", "busy"],
    ["Throttling", "busy"],
    ["ExpiredTokenException", "unauthorized"],
    ["UnrecognizedClientException", "unauthorized"],
    ["SignatureDoesNotMatch", "unauthorized"],
    ["InvalidParameterValueException", null],
  ])("of type %s means %s, whatever its status", (type, meaning) => {
    expect(meaningOf(400, body(type))).toBe(meaning);
    expect(refusalText(body(type))).toBe(`${type}: why`);
  });
});
