import { describe, expect, it } from "vitest";
import type { GoldItem, GoldSpan, Passage } from "../core/measure/gold.ts";
import { answerAnchors, corpusAnchors } from "./anchors.ts";
import { coverageLevel } from "./coverage-level.ts";

const SECTION = "A berth costs nine crowns a night, power is two crowns more.";
const anItem = (over: Partial<GoldSpan> = {}): GoldItem => ({
  id: "q",
  topic: "berths",
  phrasings: ["a", "b", "c"],
  answerable: true,
  gold: [{ doc: "berths", section: "prices", start: null, end: null, rev: null, ...over }],
  claims: [],
  decoy: null,
});
const aPassage = (over: Partial<Passage> = {}): Passage => {
  return { doc: "berths", section: "prices", rev: null, start: null, end: null, text: SECTION, ...over };
};
const placed = aPassage({ start: 0, end: 20 });
const corpus = corpusAnchors([{ doc: "berths", section: "prices", text: SECTION }]);

describe("coverageLevel", () => {
  it("is L1 while every passage of both arms has offsets, and L2 as soon as one has text alone", () => {
    expect(coverageLevel([anItem()], [placed, placed], corpus)).toBe("L1");
    expect(coverageLevel([anItem()], [placed, aPassage()], corpus)).toBe("L2");
  });

  it("is L3 as soon as one passage has neither offsets nor text", () => {
    expect(coverageLevel([anItem()], [placed, aPassage(), aPassage({ text: " \n" })], corpus)).toBe("L3");
  });

  it("is L3 where the corpus lacks a gold section", () => {
    expect(coverageLevel([anItem(), anItem({ section: "gone" })], [aPassage()], corpus)).toBe("L3");
  });

  it("is L2 without a corpus when answers show gold sections, and L3 when they show none or gold has offsets", () => {
    const shown = answerAnchors([aPassage()], []);
    expect(coverageLevel([anItem(), anItem({ section: "never shown" })], [aPassage()], shown)).toBe("L2");
    expect(coverageLevel([anItem({ section: "never shown" })], [aPassage()], shown)).toBe("L3");
    expect(coverageLevel([anItem({ start: 2, end: 9 })], [aPassage()], shown)).toBe("L3");
    expect(coverageLevel([anItem({ start: 2, end: 9 })], [aPassage()], corpus)).toBe("L2");
  });
});
