import { describe, expect, it } from "vitest";
import { didYouMean, suggestion } from "./did-you-mean.ts";

const known = ["error-rate", "delta-s", "coverage", "stickyBy", "trustedHeaders"];

describe("didYouMean", () => {
  it("finds the near word across swaps, case, hyphens and missing letters", () => {
    expect(
      ["deltas", "eror-rate", "covreage", "stickyby", "trusted_headers"].map((word) => didYouMean(word, known)),
    ).toEqual(["delta-s", "error-rate", "coverage", "stickyBy", "trustedHeaders"]);
  });

  it("suggests nothing for a word unlike any, and lists what is known instead", () => {
    expect(didYouMean("kubernetes", known)).toBeNull();
    expect(suggestion("kubernetes", known)).toBe(`expected one of: ${known.join(", ")}`);
  });
});
