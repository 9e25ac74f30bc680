import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectionNames, isHopByHop, isInternalHeader } from "./headers.ts";

const INTERNAL = [
  "x-exp",
  "x-release",
  "x-release-pin",
  "x-canary",
  "x-region-pin",
  "x-region-stick",
  "x-warm",
  "x-probe",
  "x-edge-ctx",
  "x-cache-namespace",
  "schema-rev",
  "index-hash",
  "model-tag",
  "x-schema-rev",
  "x-index-hash",
  "x-model-tag",
  "x-sluice-arm",
  "x-sluice-anything",
];

describe("isInternalHeader", () => {
  it("S1: knows 10 000 spellings by case, separator and white space", () => {
    const spelling = fc
      .tuple(
        fc.constantFrom(...INTERNAL),
        fc.infiniteStream(fc.boolean()),
        fc.constantFrom("-", "_", "."),
        fc.constantFrom("", " ", "\t"),
      )
      .map(([name, upper, separator, space]) => {
        const letters = [...name].map((letter) => (upper.next().value ? letter.toUpperCase() : letter)).join("");
        return `${space}${letters.replaceAll("-", separator)}${space}`;
      });
    fc.assert(fc.property(spelling, isInternalHeader), { numRuns: 10_000 });
  });

  it("leaves every other header alone", () => {
    const others = [
      "x-user-id",
      "x-forwarded-for",
      "x-request-id",
      "sec-fetch-mode",
      "server",
      "if-match",
      "authorization",
      "",
      "x",
      "x-experiment",
      "x-sluice",
      "index",
    ];
    for (const name of others) expect([name, isInternalHeader(name)]).toEqual([name, false]);
  });
});

describe("isHopByHop", () => {
  it("ends RFC 9110's fields and those the Connection field lists", () => {
    const listed = connectionNames("close, X-Trace , keep-alive");
    for (const name of ["Connection", "TE", "upgrade", "Proxy-Authorization", "x-trace", "close"]) {
      expect([name, isHopByHop(name, listed)]).toEqual([name, true]);
    }
    for (const name of ["content-type", "x-user-id", ""]) expect(isHopByHop(name, listed)).toBe(false);
    expect(isHopByHop("x-trace", connectionNames(null))).toBe(false);
  });
});
