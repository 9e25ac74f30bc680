import { describe, expect, it } from "vitest";
import { stem, terms } from "./terms.ts";

describe("stem", () => {
  it("unites the forms of a word", () => {
    for (const family of [
      ["roll", "rolls", "rolled", "rolling"],
      ["policy", "policies"],
      ["stop", "stops", "stopped", "stopping"],
      ["cache", "caches", "cached", "caching"],
      ["deploy", "deploys", "deployed", "deployment", "deployments"],
      ["validate", "validated", "validation", "validations", "validating"],
    ]) {
      expect(new Set(family.map(stem)), family.join(" ")).toHaveLength(1);
    }
  });

  it("leaves short words, numbers and other scripts as they are", () => {
    for (const word of ["bus", "gas", "ip", "503", "x86", "größen", "status"]) expect(stem(word)).toBe(word);
  });
});

describe("terms", () => {
  it("folds case and accents, drops stop words and possessives", () => {
    expect(terms("What is the Café's PRICE, and why?")).toEqual(["caf", "pric"]);
  });

  it("has none for a text of stop words or punctuation", () => {
    expect(terms("what is it?! …")).toEqual([]);
  });
});
