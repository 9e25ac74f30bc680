import { describe, expect, it } from "vitest";
import { epochMs } from "../../../core/unit.ts";
import { parsePointer, readPointer } from "../../../core/json-pointer.ts";
import { readNumber } from "./render.ts";

const NOW = epochMs(Date.parse("2026-01-01T00:00:00Z"));

const pointer = (text: string) => parsePointer(text) ?? ["not a pointer"];

/** Reads `query` out of a body, with the time at `/at` where asked for. */
function read(body: string, query = "/v", timestamp: string | null = null) {
  const pointers = { query: pointer(query), timestamp: timestamp === null ? null : pointer(timestamp) };
  return readNumber(body, { query, maxAgeMs: 60_000 }, pointers, NOW);
}
const error = (reason: string) => ({ kind: "error", reason: expect.stringContaining(reason) });
const noData = (reason: string) => ({ kind: "no-data", reason: expect.stringContaining(reason) });

describe("the number in a JSON document", () => {
  it.each([
    ['{"v":0}', 0],
    ['{"v":-1.5e-9}', -1.5e-9],
    ['{"v":7,"v ":8}', 7],
  ])("is the finite number at the pointer: %s", (body, value) => {
    expect(read(body)).toEqual({ kind: "value", value, atEpochMs: NOW });
  });

  it.each([
    ['{"v":"12"}', '"12" (string)'],
    ['{"v":""}', '"" (string)'],
    ['{"v":"NaN"}', '"NaN" (string)'],
    ['{"v":true}', "true (boolean)"],
    ['{"v":{"value":1}}', '{"value":1} (object)'],
    ['{"v":[1,2,3]}', "a list of 3"],
    ['{"v":[1]}', "a list of 1"],
    ['{"v":[]}', "a list of 0"],
    ['{"v":1e999}', "Infinity"],
    ['{"v":-1e999}', "-Infinity"],
    ['{"v":NaN}', "not JSON"],
    ["<html>", "not JSON"],
    ["", "not JSON"],
  ])("is an error, never converted, in %s", (body, reason) => {
    expect(read(body)).toEqual(error(reason));
  });

  it.each([
    ["{}", "nothing at"],
    ['{"v":null}', "null at"],
    ["[]", "nothing at"],
    ["1", "nothing at"],
    ["null", "nothing at"],
  ])("is no-data in %s", (body, reason) => {
    expect(read(body)).toEqual(noData(reason));
  });

  it("is the whole document for the empty pointer", () => {
    expect(read("12", "")).toMatchObject({ kind: "value", value: 12 });
  });
});

describe("the time of a number", () => {
  it.each([
    [String(NOW - 1_000), NOW - 1_000],
    ['"2025-12-31T23:59:59Z"', NOW - 1_000],
    ['"2026-01-01T01:59:59.500+02:00"', NOW - 500],
    [String(NOW + 5_000), NOW + 5_000],
  ])("is epoch ms or ISO 8601 with a zone: %s", (at, atEpochMs) => {
    expect(read(`{"v":1,"at":${at}}`, "/v", "/at")).toEqual({ kind: "value", value: 1, atEpochMs });
  });

  it.each([
    ["epoch seconds", String(NOW / 1_000), "looks like seconds"],
    ["0", "0", "looks like seconds"],
    ["negative", "-1", "expected epoch milliseconds"],
    ["microseconds beyond any calendar", "1e99", "expected epoch milliseconds"],
    ["epoch ms as text", `"${NOW}"`, "expected epoch milliseconds"],
    ["no zone", '"2026-01-01T00:00:00"', "expected epoch milliseconds"],
    ["a date alone", '"2026-01-01"', "expected epoch milliseconds"],
    ["30 February", '"2026-02-30T00:00:00Z"', "expected epoch milliseconds"],
    ["RFC 2822", '"Thu, 01 Jan 2026 00:00:00 GMT"', "expected epoch milliseconds"],
    ["before 1970", '"1969-12-31T00:00:00Z"', "expected epoch milliseconds"],
    ["a list", "[1]", "expected epoch milliseconds"],
  ])("is an error when it could mean another moment: %s", (_, at, reason) => {
    expect(read(`{"v":1,"at":${at}}`, "/v", "/at")).toEqual(error(reason));
  });

  it("is no-data when it is missing or null, or older than maxAgeMs = 60 s, and an error more than 5 s ahead", () => {
    expect(read('{"v":1}', "/v", "/at")).toEqual(noData("no time"));
    expect(read('{"v":1,"at":null}', "/v", "/at")).toEqual(noData("no time"));
    expect(read(`{"v":1,"at":${NOW - 60_000}}`, "/v", "/at").kind).toBe("value");
    expect(read(`{"v":1,"at":${NOW - 60_001}}`, "/v", "/at")).toEqual(
      noData("2025-12-31T23:58:59.999Z and now is 2026-01-01T00:00:00.000Z"),
    );
    expect(read(`{"v":1,"at":${NOW + 5_001}}`, "/v", "/at")).toEqual(error("ms ahead"));
  });
});

describe("JSON pointers (RFC 6901 §5)", () => {
  const document = { foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, " ": 7, "m~n": 8, "~1": 9 };

  it.each([
    ["", document],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/ ", 7],
    ["/m~0n", 8],
    ["/~01", 9],
    ["/foo/2", undefined],
    ["/foo/01", undefined],
    ["/foo/-", undefined],
    ["/foo/length", undefined],
    ["/constructor", undefined],
    ["/__proto__", undefined],
    ["/foo/0/0", undefined],
  ])("%s", (text, value) => {
    expect(readPointer(document, pointer(text))).toEqual(value);
  });

  it("are none without a leading slash or with a stray tilde", () => {
    expect([parsePointer("foo"), parsePointer("/a~2"), parsePointer("/a~")]).toEqual([null, null, null]);
  });
});
