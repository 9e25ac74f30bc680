import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { CLICKHOUSE } from "./clickhouse.ts";
import type { Dialect } from "./dialect.ts";
import { INFLUXDB } from "./influxdb.ts";
import { readTable } from "./table.ts";

const NOW = epochMs(Date.parse("2026-01-01T00:00:30Z"));
const ORDER = { query: "", maxAgeMs: 60_000 };
const UTC = "DateTime64(3, 'UTC')";
const reason = (text: string) => expect.stringContaining(text);

function read(dialect: Dialect, document: unknown) {
  const table = dialect.tableOf(document);
  return "kind" in table ? table : readTable(table, ORDER, NOW);
}
const influx = (document: unknown) => read(INFLUXDB, document);
const clickhouse = (rows: unknown, types = ["Float64", "Int64"], names = ["value", "time"], more: object = {}) =>
  read(CLICKHOUSE, { meta: names.map((name, index) => ({ name, type: types[index] })), data: rows, ...more });

describe("an answer of ClickHouse", () => {
  it.each([
    ["milliseconds as text", [[0.5, String(NOW - 1_000)]], ["Float64", "Int64"], 0.5],
    ["milliseconds as a number", [[0.5, NOW - 1_000]], ["Float64", "Int64"], 0.5],
    ["a time in UTC", [[-2, "2026-01-01 00:00:29.000"]], ["Int32", UTC], -2],
    ["a nullable time in UTC", [[3, "2026-01-01 00:00:29"]], ["Int32", "Nullable(DateTime('Etc/UTC'))"], 3],
    ["a count, which comes as text", [["12", NOW - 1_000]], ["UInt64", "Int64"], 12],
    ["a nullable count", [["0", NOW - 1_000]], ["Nullable(UInt64)", "Int64"], 0],
  ])("is its only number, with %s", (_, rows, types, value) => {
    expect(clickhouse(rows, types)).toEqual({ kind: "value", value, atEpochMs: NOW - 1_000 });
  });

  it("takes the time from its name and not from its place", () => {
    const found = clickhouse([[NOW, 7]], ["Int64", "Float64"], ["time", "errors"]);
    expect(found).toEqual({ kind: "value", value: 7, atEpochMs: NOW });
  });

  it.each([
    ["no row", [], ["Float64", UTC], "no row"],
    ["a null, as NaN of 0/0 comes", [[null, NOW]], ["Float64", "Int64"], "is null"],
    ["the newest time of no rows", [["0", "1970-01-01 00:00:00.000"]], ["UInt64", UTC], "met no rows"],
    ["the newest millisecond of no rows", [["0", "0"]], ["UInt64", "Int64"], "met no rows"],
    ["a null time", [["0", null]], ["UInt64", `Nullable(${UTC})`], "met no rows"],
    ["an old number", [[1, "2025-12-31 23:00:00.000"]], ["Float64", UTC], "older than the 60000 ms"],
  ])("has no data with %s", (_, rows, types, text) => {
    expect(clickhouse(rows, types)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    [
      "two rows",
      [
        [1, NOW],
        [2, NOW],
      ],
      ["Float64", "Int64"],
      "found 2 rows",
    ],
    ["a text", [["12", NOW]], ["String", "Int64"], '"12" (string)'],
    ["a count beyond 2^53", [["9007199254740993", NOW]], ["UInt64", "Int64"], '"9007199254740993" (string)'],
    ["a time of no known zone", [[1, "2026-01-01 00:00:29"]], ["Float64", "DateTime"], "its time is"],
    ["a time of another zone", [[1, "2026-01-01 00:00:29"]], ["Float64", "DateTime('Europe/Berlin')"], "its time is"],
    ["epoch seconds", [[1, NOW / 1_000]], ["Float64", "UInt32"], "looks like seconds"],
    ["a time ahead", [[1, NOW + 3_600_000]], ["Float64", "Int64"], "ms ahead"],
  ])("is an error with %s", (_, rows, types, text) => {
    expect(clickhouse(rows, types)).toEqual({ kind: "error", reason: reason(text) });
  });

  it("is an error without a time, with a third column, with an exception in it, and in another format", () => {
    const time = (names: string[], row: unknown[]) => clickhouse([row], ["Float64", "Int64", "Float64"], names);
    expect(time(["count()"], [0])).toEqual({ kind: "error", reason: reason("expected time and one more") });
    expect(time(["a", "time", "b"], [0, NOW, 1])).toEqual({ kind: "error", reason: reason('"b"') });
    const broken = clickhouse([[1, NOW]], undefined, undefined, { exception: "Code: 241" });
    expect(broken).toEqual({ kind: "error", reason: reason("mid-answer") });
    expect(read(CLICKHOUSE, { data: [{ value: 1 }] })).toEqual({ kind: "error", reason: reason("JSONCompact") });
  });
});

describe("an answer of InfluxDB 3", () => {
  it("is its only number at its time, which is of UTC", () => {
    const found = influx([{ time: "2026-01-01T00:00:20.123456789", value: 4 }]);
    expect(found).toEqual({ kind: "value", value: 4, atEpochMs: NOW - 9_877 });
  });

  it.each([
    ["no rows", [], "no row"],
    ["an empty row", [{}], "no row"],
    ["a number left out", [{ time: "2026-01-01T00:00:20" }], "is null"],
    ["a time left out", [{ value: 0 }], "met no rows"],
    ["an old number", [{ time: "2025-12-31T23:00:00", value: 1 }], "older than"],
  ])("has no data with %s", (_, rows, text) => {
    expect(influx(rows)).toEqual({ kind: "no-data", reason: reason(text) });
  });

  it.each([
    [
      "two rows",
      [
        { time: "2026-01-01T00:00:20", value: 1 },
        { time: "2026-01-01T00:00:21", value: 1 },
      ],
      "found 2",
    ],
    ["a third column", [{ time: "2026-01-01T00:00:20", a: 1, b: 1 }], "found the columns"],
    ["a text", [{ time: "2026-01-01T00:00:20", value: "1" }], '"1" (string)'],
    ["an object", { error: "words" }, "no list of rows"],
  ])("is an error with %s", (_, rows, text) => {
    expect(influx(rows)).toEqual({ kind: "error", reason: reason(text) });
  });
});
