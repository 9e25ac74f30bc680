import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { readFlux, refusalText } from "./flux.ts";
import { readInfluxQl } from "./influxql.ts";

const NOW = epochMs(Date.parse("2026-01-01T00:00:30Z"));
const ORDER = { query: "", maxAgeMs: 60_000 };
const reason = (text: string) => expect.stringContaining(text);

const HEAD = [
  "#datatype,string,long,dateTime:RFC3339,double",
  "#group,false,false,false,false",
  "#default,_result,,,",
  ",result,table,_time,_value",
];
const csv = (...rows: string[]) => `${[...HEAD, ...rows].join("\r\n")}\r\n\r\n`;
const flux = (body: string) => readFlux(body, ORDER, NOW);

describe("an answer in annotated CSV", () => {
  it("is the newest number of its only table", () => {
    const body = csv(",,0,2026-01-01T00:00:10Z,1.5", ",,0,2026-01-01T00:00:20Z,-2e-3", ",,0,2026-01-01T00:00:25Z,");
    expect(flux(body)).toEqual({ kind: "value", value: -0.002, atEpochMs: NOW - 10_000 });
  });

  it.each([
    ["nothing", "\r\n", "no table"],
    ["a header alone", csv(), "no series"],
    ["nulls alone", csv(",,0,2026-01-01T00:00:20Z,"), "1 null"],
    ["an old number", csv(",,0,2025-12-31T23:00:00Z,1"), "older than the 60000 ms"],
  ])("has no data with %s", (_, body, text) => {
    expect(flux(body)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    ["two tables", csv(",,0,2026-01-01T00:00:20Z,1", ",,1,2026-01-01T00:00:20Z,1"), "found 2 series"],
    ["NaN", csv(",,0,2026-01-01T00:00:20Z,NaN"), '"NaN" (string)'],
    ["infinity", csv(",,0,2026-01-01T00:00:20Z,+Inf"), '"+Inf" (string)'],
    ["a text", csv(",,0,2026-01-01T00:00:20Z,12").replace("double", "string"), '"12" (string)'],
    ["no time", csv(",,0,2026-01-01T00:00:20Z,1").replace("_time", "_stop"), "no _time"],
    ["an unreadable time", csv(",,0,yesterday,1"), "a point has the time"],
    ["a time ahead", csv(",,0,2026-01-01T01:00:00Z,1"), "ms ahead"],
    ["a page", "<html>\n", "no annotated CSV"],
    ["an open quote", `${csv()},,0,"`, "no annotated CSV"],
  ])("is an error with %s", (_, body, text) => {
    expect(flux(body)).toEqual({ kind: "error", reason: reason(text) });
  });

  it("is an error when the server failed in mid-answer, whatever it had sent", () => {
    const failed = "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,ran out,897\r\n";
    const body = csv(",,0,2026-01-01T00:00:20Z,1") + failed;
    expect(flux(body)).toEqual({ kind: "error", reason: reason("ran out") });
  });
});

describe("an answer of InfluxQL", () => {
  const GROUPED = 'SELECT mean("v") FROM "q" GROUP BY time(10s)';
  const at = (secondsBefore: number) => NOW - secondsBefore * 1_000;
  const ql = (values: unknown, more: object = {}, query = "SELECT last(v) FROM q") => {
    const series = [{ name: "q", columns: ["time", "v"], values, ...more }];
    const body = JSON.stringify({ results: [{ statement_id: 0, series }] });
    return readInfluxQl(body, { ...ORDER, query }, NOW);
  };

  it("is the newest number, and of intervals the newest that has ended", () => {
    expect(ql([[at(5), 3]])).toEqual({ kind: "value", value: 3, atEpochMs: at(5) });
    const intervals = [
      [at(25), 1],
      [at(15), 2],
      [at(5), 3],
    ];
    expect(ql(intervals, {}, GROUPED)).toEqual({ kind: "value", value: 2, atEpochMs: at(5) });
  });

  it.each([
    ["no rows", [], {}, "", "0 points"],
    ["a null", [[at(5), null]], {}, "", "1 null"],
    ["an old number", [[at(90), 1]], {}, "", "older than"],
    ["the time 0 of an aggregate", [[0, 1]], {}, "", "older than"],
    ["one interval alone", [[at(5), 1]], {}, GROUPED, "cannot be told"],
  ])("has no data with %s", (_, values, more, query, text) => {
    expect(ql(values, more, query)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    ["a text", [[at(5), "3"]], {}, '"3" (string)'],
    ["two fields", [[at(5), 1, 2]], { columns: ["time", "a", "b"] }, "expected time and one field"],
    ["a time as text", [["2026", 1]], {}, 'a time is "2026"'],
    ["a cut answer", [[at(5), 1]], { partial: true }, "partial"],
  ])("is an error with %s", (_, values, more, text) => {
    expect(ql(values, more)).toEqual({ kind: "error", reason: reason(text) });
  });

  it("is no data without a series, and an error when a statement failed", () => {
    const read = (document: unknown) => readInfluxQl(JSON.stringify(document), ORDER, NOW);
    expect(read({ results: [{ statement_id: 0 }] })).toEqual({ kind: "no-data", reason: reason("no series") });
    expect(read({ results: [{ error: "database not found: x" }] })).toEqual({
      kind: "error",
      reason: reason("not found"),
    });
  });
});

it("tells the words of a refusal of 2.x and of 1.x", () => {
  expect(refusalText('{"code":"invalid","message":"bad flux"}')).toBe("bad flux");
  expect(refusalText('{"error":"error parsing query"}')).toBe("error parsing query");
  expect(refusalText("<html>")).toBe("");
});
