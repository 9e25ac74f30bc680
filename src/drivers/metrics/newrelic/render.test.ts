import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { meaningOf, readAnswer, refusalText } from "./render.ts";

const NOW_S = 1_800_000_000;
const NOW = epochMs(NOW_S * 1_000);
const ORDER = { query: "SELECT average(ms) FROM Answer", maxAgeMs: 120_000 };

const bucket = (endS: number, columns: object) => ({ beginTimeSeconds: endS - 60, endTimeSeconds: endS, ...columns });
const read = (results: unknown, metadata: unknown = { timeWindow: { begin: NOW - 300_000, end: NOW } }) =>
  readAnswer(JSON.stringify({ data: { actor: { account: { nrql: { results, metadata } } } } }), ORDER, NOW);
const reason = (text: string) => expect.stringContaining(text);

describe("an answer of NerdGraph", () => {
  it("is the newest number of an interval that has ended, at its end", () => {
    const rows = [bucket(NOW_S - 60, { m: 1 }), bucket(NOW_S, { m: 2 }), bucket(NOW_S + 60, { m: 3 })];
    expect(read(rows)).toEqual({ kind: "value", value: 2, atEpochMs: NOW });
  });

  it("is the only number without TIMESERIES, at the end of the window", () => {
    expect(read([{ "average.ms": 12.5 }])).toEqual({ kind: "value", value: 12.5, atEpochMs: NOW });
  });

  it("is the only percentile of a percentile, and passes over the column of a facet", () => {
    expect(read([{ "percentile.ms": { "95": 40 } }])).toMatchObject({ kind: "value", value: 40 });
    const one = [{ facet: "v8", release: "v8", "average.ms": 4 }];
    const metadata = { facets: ["release"], timeWindow: { begin: 0, end: NOW } };
    expect(read(one, metadata)).toMatchObject({ kind: "value", value: 4 });
  });

  it.each([
    ["no rows", [], "no series"],
    ["a null", [{ "average.ms": null }], "1 null"],
    ["nulls alone", [bucket(NOW_S - 60, { m: null }), bucket(NOW_S, { m: null })], "2 null"],
    ["a percentile of nothing", [{ "percentile.ms": { "95": null } }], "1 null"],
    ["a running interval alone", [bucket(NOW_S + 30, { m: 1 })], "has ended"],
    ["an old number", [bucket(NOW_S - 600, { m: 1 })], "older than the 120000 ms"],
  ])("has no data with %s", (_, rows, text) => {
    expect(read(rows)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    [
      "two facets",
      [
        { facet: "a", m: 1 },
        { facet: "b", m: 2 },
      ],
      "found 2 series",
    ],
    ["two facets over time", [bucket(NOW_S, { facet: "a", m: 1 }), bucket(NOW_S, { facet: "b", m: 2 })], "found 2"],
    ["events", [{ m: 1 }, { m: 2 }, { m: 3 }], "found 3 series"],
    [
      "a comparison",
      [
        { comparison: "current", m: 1 },
        { comparison: "previous", m: 2 },
      ],
      "found 2 series",
    ],
    ["two numbers", [{ "average.ms": 1, "max.ms": 2 }], "found 2 numbers"],
    ["two percentiles", [{ "percentile.ms": { "50": 1, "95": 2 } }], "found 2 numbers"],
    ["no number", [{ facet: "a" }], "found 0 numbers"],
    ["a text", [{ "latest.release": "v8" }], '"v8" (string)'],
    ["a boolean", [{ "latest.ok": true }], "true (boolean)"],
    ["a half-written time", [{ beginTimeSeconds: NOW_S, m: 1 }], "a row has the times"],
    ["a time ahead", [bucket(NOW_S + 7_200, { m: 1 })], "ms ahead"],
  ])("is an error with %s", (_, rows, text) => {
    expect(read(rows)).toEqual({ kind: "error", reason: reason(text) });
  });

  it("is an error without a time of its own, and where there are no results at all", () => {
    expect(read([{ m: 1 }], null)).toEqual({ kind: "error", reason: reason("add TIMESERIES") });
    const nothing = readAnswer('{"data":{"actor":{"account":{"nrql":null}}}}', ORDER, NOW);
    expect(nothing).toEqual({ kind: "error", reason: reason("no answer of a NRQL query") });
  });

  it.each([
    ["TIMEOUT", "busy"],
    ["TOO_MANY_REQUESTS", "busy"],
    ["SERVER_ERROR", "busy"],
    ["ACCESS_DENIED", "unauthorized"],
    ["UNAUTHORIZED", "unauthorized"],
    ["INVALID_INPUT", "rejected"],
    [undefined, "rejected"],
  ])("means by errors of the class %s with status 200: %s", (errorClass, meaning) => {
    const errors = [{ message: "m", extensions: { errorClass } }];
    const partly = { data: { actor: { account: { nrql: { results: [{ m: 1 }] } } } }, errors };
    expect(meaningOf(200, JSON.stringify(partly))).toBe(meaning);
    expect(meaningOf(502, JSON.stringify(partly))).toBeNull();
  });

  it("tells the words of a refusal", () => {
    expect(refusalText('{"errors":[{"message":"a"},{"message":"b","extensions":null}]}')).toBe("a; b");
    expect(refusalText("<html>")).toBe("");
    expect(meaningOf(200, '{"data":{},"errors":[]}')).toBeNull();
  });
});
