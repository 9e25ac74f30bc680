import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { randomStream } from "../stats/random.ts";
import { mean } from "./aggregate.ts";
import { coverageByOffsets } from "./coverage.ts";
import type { GoldSpan, Passage } from "./gold.ts";
import { alignTo, coverageByText, joinOverlapping } from "./shingle-coverage.ts";
import { codePoints, sliceCodePoints, tokenPlaces, wordPlaces, words } from "./tokenizer.ts";

/** Sections of the handbook: what stands under each heading. */
const HANDBOOK = readdirSync("docs/handbook", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".md"))
  .sort()
  .flatMap((path) => readFileSync(join("docs/handbook", path), "utf8").split(/^(?=#{1,4} )/m))
  .map((text) => text.trim())
  .filter((text) => words(text).length >= 40);

const GOLD: GoldSpan = { doc: "d", section: "s", start: null, end: null, rev: null };
const aPassage = (text: string, over: Partial<Passage> = {}): Passage => {
  return { doc: "d", section: "s", rev: null, start: null, end: null, text, ...over };
};
const l1 = (section: string, passages: readonly Passage[], gold = GOLD) =>
  coverageByOffsets([gold], passages, () => tokenPlaces(section)) ?? Number.NaN;
const l2 = (section: string, texts: readonly string[], gold = GOLD) =>
  coverageByText(
    [gold],
    texts.map((text) => aPassage(text)),
    alignTo(() => section),
  ) ?? Number.NaN;

type Cut = readonly { readonly start: number; readonly end: number }[];

/** Chunks of so many words, cut between words. */
function byWords(text: string, count: number): Cut {
  const { starts, ends } = wordPlaces(text);
  return Array.from({ length: Math.ceil(starts.length / count) }, (_, i) => {
    const last = Math.min(starts.length, (i + 1) * count) - 1;
    return { start: starts[i * count] as number, end: ends[last] as number };
  });
}

/** Windows of so many code points that overlap, cut anywhere, as a plain character splitter does. */
function byCharacters(text: string, size: number, overlap: number): Cut {
  const length = codePoints(text);
  const count = Math.max(1, Math.ceil((length - overlap) / (size - overlap)));
  return Array.from({ length: count }, (_, i) => {
    return { start: i * (size - overlap), end: Math.min(length, i * (size - overlap) + size) };
  });
}

/** What renderers and loaders do to Markdown before it is put into an index. */
const REWRITES: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "re-wrapped and in upper case": (text) => text.replaceAll(/\s+/g, "\n").toUpperCase(),
  "stripped of Markdown": (text) =>
    text
      .replaceAll(/^ *```.*$/gm, "")
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[*_`#|>]+/g, " "),
};

describe("coverage by text (L2) against coverage by offsets (L1) on the handbook", () => {
  const cuts: readonly (readonly [string, (text: string) => Cut])[] = [
    ["80 words", (text) => byWords(text, 80)],
    ["20 words", (text) => byWords(text, 20)],
    ["400 characters, 80 of them twice", (text) => byCharacters(text, 400, 80)],
  ];
  const cases = cuts.flatMap(([cut, chunks]) => Object.keys(REWRITES).map((rewrite) => ({ cut, chunks, rewrite })));

  it.each(cases)("differs by at most 0.02 in the mean with chunks of $cut, $rewrite", ({ chunks, rewrite }) => {
    const random = randomStream(4);
    expect(HANDBOOK.length).toBeGreaterThan(60);
    const errors = HANDBOOK.map((section) => {
      const share = random();
      const chosen = chunks(section).filter(() => random() < share);
      const offsets = chosen.map((place) => aPassage("", place));
      const texts = chosen.map(({ start, end }) => REWRITES[rewrite]?.(sliceCodePoints(section, start, end)) ?? "");
      return Math.abs(l2(section, texts) - l1(section, offsets));
    });
    expect(mean(errors)).toBeLessThanOrEqual(0.02);
  });

  it("gives unrelated sections at most 0.02", () => {
    const random = randomStream(5);
    const found = HANDBOOK.map((section, index) => {
      const others = Array.from({ length: 10 }, () => HANDBOOK[Math.floor(random() * HANDBOOK.length)] ?? "");
      return l2(
        section,
        others.filter((other) => other !== HANDBOOK[index]),
      );
    });
    expect(mean(found)).toBeLessThanOrEqual(0.02);
    // The few above share the first lines of an example document.
    expect(found.filter((value) => value > 0.02).length / found.length).toBeLessThanOrEqual(0.05);
  });
});

describe("coverageByText", () => {
  const section =
    "# Prices\n\nA berth costs **nine** crowns a night; [power](https://harbour.test/power) is two crowns more.";

  it("is 1 for the section itself, rendered or re-cased, and 0 for no text and for none in common", () => {
    expect(l2(section, [section])).toBe(1);
    expect(l2(section, ["PRICES A berth costs nine\ncrowns a night; power is two crowns more."])).toBe(1);
    expect(l2(section, [])).toBe(0);
    expect(l2(section, ["Sockets stand on the west pier, beside the crane."])).toBe(0);
  });

  it("counts overlapping texts once, and never falls when one is added", () => {
    const [first, second] = ["A berth costs nine crowns a night", "nine crowns a night; power is two crowns more"];
    const both = l2(section, [first, second]);
    expect(l2(section, [first, second, first])).toBe(both);
    expect(both).toBeGreaterThan(Math.max(l2(section, [first]), l2(section, [second])));
    expect(both).toBeLessThan(l2(section, [first]) + l2(section, [second]));
  });

  it("measures the gold stretch alone: 1 for its own sentence, 0 for the one before", () => {
    const text = "The harbour opens at six in the morning. A berth costs nine crowns a night.";
    const gold = { ...GOLD, start: 41, end: codePoints(text) };
    expect(l2(text, ["A berth costs nine crowns a night."], gold)).toBe(1);
    expect(l2(text, ["The harbour opens at six in the morning."], gold)).toBe(0);
  });

  it("finds a text of fewer than five words once, and a section of fewer than five in a longer text", () => {
    const text = "the pier and the crane and the dock";
    expect(l2(text, ["the"])).toBe(1 / 8);
    expect(l2(text, ["and the crane"])).toBe(3 / 8);
    expect(l2("Nine crowns.", ["It is nine crowns a night, I think."])).toBe(1);
  });

  it("does not take text for evidence under another section's name or of another revision", () => {
    const alignment = alignTo(() => section);
    expect(coverageByText([GOLD], [aPassage(section, { section: "other" })], alignment)).toBe(0);
    expect(coverageByText([{ ...GOLD, rev: "2" }], [aPassage(section, { rev: "1" })], alignment)).toBe(0);
    expect(coverageByText([{ ...GOLD, rev: "2" }], [aPassage(section, { rev: "2" })], alignment)).toBe(1);
  });

  it("works where words have no spaces between them, and on letters outside the basic plane", () => {
    const text = "港の料金は一晩九クローネです。電気は別に二クローネかかります。";
    expect(l2(text, ["港の料金は一晩九クローネです。"])).toBeCloseTo(
      l1(text, [aPassage("", { start: 0, end: 15 })]),
      12,
    );
    expect(l2("𝒶 𝒷 𝒸 𝒹 𝑒 𝒻", ["a b c d e f"])).toBe(1);
  });

  it("is null for a section nobody knows, and 0 for one that exists and was never seen", () => {
    expect(
      coverageByText(
        [GOLD],
        [aPassage("x")],
        alignTo(() => undefined),
      ),
    ).toBeNull();
    expect(
      coverageByText(
        [GOLD],
        [aPassage("x")],
        alignTo(() => ""),
      ),
    ).toBe(0);
  });
});

describe("joinOverlapping", () => {
  it("puts chunks of one section together so that each stretch stands once, in any order", () => {
    const section = HANDBOOK.find((text) => words(text).length > 100) ?? "";
    const chunks = byCharacters(section, 300, 90).map(({ start, end }) => sliceCodePoints(section, start, end));
    const whole = joinOverlapping(chunks);
    expect(joinOverlapping([...chunks].reverse())).toBe(whole);
    expect(Math.abs(words(whole).length / words(section).length - 1)).toBeLessThan(0.1);
    expect(l2(whole, chunks)).toBeGreaterThan(0.98);
    expect(joinOverlapping([])).toBe("");
  });
});
