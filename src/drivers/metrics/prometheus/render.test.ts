import { describe, expect, it } from "vitest";
import { readComputed } from "./render.ts";

const body = (data: unknown, more: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ status: "success", data, ...more });
const vector = (...values: readonly string[]) => ({
  resultType: "vector",
  result: values.map((value, index) => ({
    metric: { __name__: "m", pod: `p${index}` },
    value: [1_800_000_000.123, value],
  })),
});
const reasonOf = (text: string) => {
  const computed = readComputed(text);
  return computed.kind === "number" ? computed : `${computed.kind}: ${computed.reason}`;
};

describe("the number in an answer of Prometheus", () => {
  it.each([
    ["0", 0],
    ["-1.5", -1.5],
    ["1e-9", 1e-9],
    ["+3", 3],
    ["1.7976931348623157e+308", Number.MAX_VALUE],
  ])("is %s of one series, at the time of the evaluation in ms", (text, value) => {
    expect(readComputed(body(vector(text)))).toEqual({ kind: "number", value, atEpochMs: 1_800_000_000_123 });
  });

  it.each([
    ["null lists, as Go writes them", { warnings: null, infos: null }],
    ["Thanos' members", { stats: { timings: {} }, analysis: null }],
    ["VictoriaMetrics' members", { isPartial: false, stats: { seriesFetched: "1" } }],
  ])("is read beside %s", (_, more) => {
    expect(readComputed(body(vector("2"), more))).toMatchObject({ kind: "number", value: 2 });
  });

  it("is no data of a null list, and an error of a part of the data or of a histogram", () => {
    expect(reasonOf(body({ resultType: "vector", result: null }))).toMatch(/^no-data: no series/);
    expect(reasonOf(body({ resultType: "matrix", result: null }))).toMatch(/^no-data/);
    expect(reasonOf(body(vector("2"), { isPartial: true }))).toMatch(/^error: 2 is not to be relied on.*isPartial/);
    const histogram = {
      metric: {},
      histogram: [1_800_000_000, { count: "4", sum: "2", buckets: [[0, "0", "1", "4"]] }],
    };
    expect(reasonOf(body({ resultType: "vector", result: [histogram] }))).toMatch(/^error: a histogram/);
  });

  it("is a scalar as well", () => {
    const scalar = { resultType: "scalar", result: [1_800_000_000, "2"] };
    expect(readComputed(body(scalar))).toEqual({ kind: "number", value: 2, atEpochMs: 1_800_000_000_000 });
  });

  it.each(["NaN", "+Inf", "-Inf", "Inf", "1e999", "", " ", "0x10", "1,5", "1_000", "null"])(
    "is never %j: NaN compares false with every limit, which others take for success",
    (text) => {
      expect(reasonOf(body(vector(text)))).toMatch(/^error: the value is .*, which is no number to decide on$/);
      expect(reasonOf(body({ resultType: "scalar", result: [1, text] }))).toMatch(/^error/);
    },
  );

  it("is no-data in an empty vector or matrix: no series is not zero errors", () => {
    expect(reasonOf(body(vector()))).toMatch(/^no-data: no series/);
    expect(reasonOf(body({ resultType: "matrix", result: [] }))).toMatch(/^no-data: no series/);
  });

  it("is an error with 2 or more series, which are counted and named up to the third, and the first is not taken", () => {
    expect(reasonOf(body(vector("1", "1")))).toBe(
      'error: 2 series, expected one: m{pod="p0"}, m{pod="p1"}; aggregate, as in sum(...)',
    );
    expect(reasonOf(body(vector("1", "2", "3", "4")))).toMatch(/^error: 4 series, .*p0.*p1.*p2"}, …; aggregate/);
  });

  it.each([
    ["a range", { resultType: "matrix", result: [{ metric: {}, values: [[1, "1"]] }] }],
    ["a string", { resultType: "string", result: [1, "1"] }],
    ["a histogram", { resultType: "vector", result: [{ metric: {}, histogram: [1, {}] }] }],
  ])("is an error in %s", (_, data) => {
    expect(reasonOf(body(data))).toMatch(/^error: .*expected/);
  });

  it.each([
    ["a page", "<html>"],
    ["nothing", ""],
    ["an error with status 200", JSON.stringify({ status: "error", errorType: "x", error: "y" })],
    ["no data", JSON.stringify({ status: "success" })],
    ["an unknown type", body({ resultType: "stream", result: [] })],
    ["a number where the value is text", body({ resultType: "scalar", result: [1, 2] })],
    ["a value without its time", body({ resultType: "scalar", result: ["2"] })],
    ["a time before 1970", body({ resultType: "scalar", result: [-1, "2"] })],
  ])("is an error in what is no answer: %s", (_, text) => {
    expect(reasonOf(text)).toMatch(/^error: not an answer of Prometheus' query API/);
  });

  it("is an error under a warning, which means a part of the data is missing, and stays a number under an info", () => {
    expect(reasonOf(body(vector("1"), { warnings: ["store b is down"] }))).toBe(
      "error: 1 is not to be relied on; warning: store b is down",
    );
    expect(readComputed(body(vector("1"), { infos: ["m might be no counter"] })).kind).toBe("number");
  });

  it("carries warnings and infos in the reason when there is none", () => {
    expect(reasonOf(body(vector(), { warnings: ["w"], infos: ["i"] }))).toMatch(/; warning: w; info: i$/);
    expect(reasonOf(body(vector("NaN"), { infos: ["i"] }))).toMatch(/; info: i$/);
  });

  it("keeps reasons short, whatever the server writes", () => {
    const long = "x".repeat(100_000);
    const wide = { resultType: "vector", result: [1, 2].map(() => ({ metric: { a: long }, value: [1, "1"] })) };
    for (const text of [long, body(vector(long)), body(wide), body(vector(), { warnings: [long] })])
      expect(String(reasonOf(text)).length).toBeLessThan(700);
  });
});
