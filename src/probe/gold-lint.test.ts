import { describe, expect, it } from "vitest";
import { lintGoldSet } from "./gold-lint.ts";
import { type GoldSet, readGoldSet } from "./gold-set.ts";

const corpus = [
  { doc: "berths", section: "prices", text: "A berth costs nine crowns." },
  { doc: "berths", section: "power", text: "Sockets stand on the west pier.   " },
];

function goldOf(over: Record<string, unknown>, count = 1): GoldSet {
  const items = Array.from({ length: count }, (_, index) => ({
    id: `q${index}`,
    topic: "berths",
    phrasings: [
      "What does a berth cost?",
      "How much does one pay for a berth?",
      "The price of a berth, what does it come to?",
    ],
    answerable: true,
    gold: [{ doc: "berths", section: "prices" }],
    ...over,
  }));
  const read = readGoldSet(items.map((item) => JSON.stringify(item)).join("\n"));
  if ("items" in read) return read;
  throw new Error(JSON.stringify(read));
}
const found = (over: Record<string, unknown>) => {
  const { errors, warnings } = lintGoldSet(goldOf(over, 50), corpus);
  return [...new Set([...errors, ...warnings].map(({ code }) => code))];
};
const phrasings = (second: string) => ({
  phrasings: ["What does a berth cost?", second, "How much does one pay for a berth?"],
});

describe("lintGoldSet", () => {
  it("finds nothing wrong with a sound set and counts it", () => {
    const lint = lintGoldSet(goldOf({}, 50), corpus);
    expect([lint.errors, lint.warnings]).toEqual([[], []]);
    expect(lint.counts).toEqual({
      items: 50,
      answerable: 50,
      unanswerableShare: 0,
      topics: { berths: 50 },
      pooledTopics: [],
    });
  });

  it("names a topic with 9 questions as pooled, one with 10 not", () => {
    const lint = lintGoldSet(goldOf({}, 9), corpus);
    expect(lint.counts.pooledTopics).toEqual(["berths"]);
    expect(lint.warnings.map(({ code }) => code)).toEqual(["E217", "E218"]);
    expect(lint.warnings[0]?.message).toContain("a topic has fewer than 10 questions");
  });

  it("names all small topics in one warning", () => {
    const items = goldOf({}, 18).items.map((item, at) => ({ ...item, topic: at % 2 === 0 ? "berths" : "dues" }));
    const { warnings } = lintGoldSet({ ...goldOf({}, 18), items }, corpus);
    const [first, ...others] = warnings.filter(({ code }) => code === "E217");
    expect(others).toEqual([]);
    expect(first?.message).toBe(
      "2 topics have fewer than 10 questions with an answer and are judged together with other small ones: berths 9, dues 9",
    );
  });

  it("warns of a phrasing that differs in punctuation and case alone, and of one without a common word", () => {
    expect(found(phrasings("what does a BERTH cost"))).toEqual(["E211"]);
    expect(found(phrasings("Please tell me about prices"))).toEqual(["E211"]);
    const [warning] = lintGoldSet(goldOf(phrasings("Please tell me about prices")), corpus).warnings;
    expect(warning?.message).toContain('the phrasing "Please tell me about prices" has hardly a word in common');
  });

  it("warns of other numbers and names than the canonical phrasing has", () => {
    const numbered = {
      phrasings: [
        "What does a berth cost for 2 nights?",
        "How much is a berth for 3 nights?",
        "A berth for 2 nights, how much?",
      ],
    };
    expect(found(numbered)).toEqual(["E212"]);
    const named = {
      phrasings: [
        "What does a berth in Warsaw cost?",
        "How much does a berth cost?",
        "In Warsaw, how much is a berth?",
      ],
    };
    expect(found(named)).toEqual(["E212"]);
  });

  it("finds sections, decoys and offsets that the corpus does not have", () => {
    expect(found({ gold: [{ doc: "berths", section: "gone" }] })).toEqual(["E213"]);
    expect(found({ decoy: { doc: "berths", section: "gone" } })).toEqual(["E213"]);
    expect(found({ gold: [{ doc: "berths", section: "prices", start: 20, end: 27 }] })).toEqual(["E214"]);
    expect(found({ gold: [{ doc: "berths", section: "prices", start: 20, end: 26 }] })).toEqual([]);
    expect(found({ gold: [{ doc: "berths", section: "power", start: 31, end: 34 }] })).toEqual(["E215"]);
  });

  it("places each finding at its item, and looks at no section without a corpus", () => {
    const gold = goldOf({ gold: [{ doc: "berths", section: "gone" }] }, 10);
    expect(lintGoldSet(gold, corpus).errors[3]).toMatchObject({ path: "q3.gold[0]", at: { line: 4, column: 1 } });
    expect(lintGoldSet(gold, null).errors).toEqual([]);
  });

  it("says of a section that is not there what is, or which one is near", () => {
    const messageOf = (doc: string, section: string) =>
      lintGoldSet(goldOf({ gold: [{ doc, section }] }, 10), [
        { doc: "berths", section: "berths#prices", text: "A berth costs ten." },
        { doc: "berths", section: "berths#rules", text: "No noise." },
      ]).errors[0];
    expect(messageOf("berths", "berths#price")?.message).toContain('did you mean "berths#prices"?');
    expect(messageOf("berths", "p-17")?.message).toContain("berths has berths#prices, berths#rules");
    expect(messageOf("tariffs", "p-17")?.message).toContain("it has the docs berths");
    expect(messageOf("tariffs", "p-17")?.fix).toContain("its heading as a slug");
  });
});
