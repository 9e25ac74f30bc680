import { describe, expect, it } from "vitest";
import { deltaS } from "../../src/core/measure/delta-s.ts";
import type { GoldItem, Passage } from "../../src/core/measure/gold.ts";
import { answerAnchors, corpusAnchors } from "../../src/probe/anchors.ts";
import { calibrateJudge, chooseDecoys } from "../../src/probe/calibrate.ts";
import { createJudge } from "../../src/probe/judge.ts";
import { lexicalJudge } from "../../src/probe/lexical-embedder.ts";
import { readLock, staleReason, writeLock } from "../../src/probe/lock.ts";
import { itemsOfTier } from "../../src/probe/tier.ts";
import { handbook } from "./world.ts";

const signal = new AbortController().signal;

describe("the lexical judge", () => {
  it("tells gold from decoy on the handbook with an AUC of 0.9 at least and a gap of 0.15 at least", async () => {
    const { corpus, gold } = await handbook();
    const anchors = corpusAnchors(corpus);
    const judge = createJudge(lexicalJudge(corpus.map(({ text }) => text)));
    const calibration = await calibrateJudge(gold.items, anchors, chooseDecoys(gold.items, anchors, 1), judge, signal);
    expect(calibration).toMatchObject({ usable: true, reason: null });
    expect(calibration.auc).toBeGreaterThanOrEqual(0.9);
    expect(calibration.mDecoy - calibration.mGold).toBeGreaterThanOrEqual(0.15);
  });

  it("says that it is lexical and on what it was fitted; order and repetition of the texts do not matter", async () => {
    const [one, other, more] = [lexicalJudge(["a b", "c"]), lexicalJudge(["c", "a b", "c"]), lexicalJudge(["a b"])];
    expect(one.id).toMatch(/^lexical\/1:8192d:fit-[0-9a-f]{8}$/);
    expect([other.id === one.id, more.id === one.id]).toEqual([true, false]);
    expect(await one.embed(["a c"], signal)).toEqual(await other.embed(["a c"], signal));
  });

  it("gives the zero vector to a text it knows nothing of", async () => {
    const [vector = []] = await lexicalJudge(["berth", "harbour"]).embed(["xyz"], signal);
    expect(deltaS(vector, vector)).toEqual({ value: 1, flag: "empty" });
  });
});

describe("a judge", () => {
  it("embeds each text once, blank ones never", async () => {
    const asked: string[] = [];
    const judge = createJudge({
      id: "counting",
      embed: (texts) => Promise.resolve(texts.map((text) => (asked.push(text), [text.length, 1]))),
    });
    await judge.prepare(["a", "bb", "a", " "], signal);
    const distances = await judge.prepare(["bb", "ccc", ""], signal);
    expect(asked).toEqual(["a", "bb", "ccc"]);
    expect(distances.between("bb", "bb").flag).toBe("degenerate");
    expect(distances.between("bb", "")).toEqual({ value: 1, flag: "empty" });
    expect(() => distances.between("bb", "never announced")).toThrow("announced");
  });

  it("forgets the least recent vectors beyond 64 MiB and still answers", async () => {
    let count = 0;
    const judge = createJudge({
      id: "large",
      embed: (texts) => Promise.resolve(texts.map(() => (count++, new Float64Array(1024 * 1024).fill(1)))),
    });
    const texts = Array.from({ length: 12 }, (_, i) => `t${i}`);
    const distances = await judge.prepare(texts, signal);
    expect(distances.between("t0", "t11").value).toBeCloseTo(0, 9);
    await judge.prepare(["t11"], signal);
    expect(count).toBe(12);
    await judge.prepare(["t0"], signal);
    expect(count).toBe(13);
  });
});

const passage = (over: Partial<Passage>): Passage => ({
  doc: "d",
  section: "s",
  rev: null,
  start: 0,
  end: 0,
  text: "",
  ...over,
});
const KEY = "d\u0000s";

describe("anchors from answers", () => {
  it("joins overlapping passages into the section's text and tokens", () => {
    const shown = [passage({ start: 4, end: 13, text: "two three" }), passage({ start: 0, end: 7, text: "one two" })];
    const anchors = answerAnchors(shown, []);
    expect(anchors.text(KEY)).toBe("one two three");
    expect(anchors.tokens(KEY)).toEqual({ starts: [0, 4, 8], ends: [3, 7, 13], length: 13 });
  });

  it("takes texts from the reference arm and tokens from both, counting an unseen gap at the section's density", () => {
    const reference = [passage({ start: 0, end: 7, text: "one two" })];
    const anchors = answerAnchors(reference, [passage({ start: 14, end: 21, text: "two one" })]);
    expect(anchors.text(KEY)).toBe("one two");
    expect(anchors.tokens(KEY)?.starts).toHaveLength(2 + 2 + 2);
    expect(anchors.text("d\u0000other")).toBeNull();
    expect(anchors.tokens("d\u0000other")).toEqual({ starts: [0], ends: [1], length: 1 });
  });

  it("does not let an absurd offset make up tokens without end", () => {
    const anchors = answerAnchors(
      [passage({ start: 0, end: 3, text: "one" }), passage({ start: 2 ** 50, end: 2 ** 50 + 3, text: "two" })],
      [],
    );
    expect(anchors.tokens(KEY)?.starts.length).toBeLessThanOrEqual(100_001);
  });
});

describe("decoys and tiers", () => {
  const items = (count: number): readonly GoldItem[] =>
    Array.from({ length: count }, (_, i) => ({
      id: `q${i}`,
      topic: `t${i % 4}`,
      phrasings: ["a", "b", "c"],
      answerable: true,
      gold: [{ doc: "d", section: `s${i}`, start: null, end: null, rev: null }],
      claims: [],
      decoy: null,
    }));
  const corpus = Array.from({ length: 100 }, (_, i) => ({ doc: "d", section: `s${i}`, text: `text ${i}` }));

  it("draws a decoy from another topic, the same one whatever the other items are asked in what order", () => {
    const all = items(40);
    const decoys = chooseDecoys(all, corpusAnchors(corpus), 9);
    for (const [index, item] of all.entries()) {
      const decoy = Number(decoys.get(item.id)?.section.slice(1));
      expect(decoy % 4).not.toBe(index % 4);
    }
    expect(chooseDecoys([...all].reverse(), corpusAnchors(corpus), 9)).toEqual(new Map([...decoys].reverse()));
  });

  it("takes 40 of 100 for smoke, 10 of each of four topics, in the order of the set, by the seed", () => {
    const chosen = itemsOfTier(items(100), "smoke", 1);
    expect(chosen).toHaveLength(40);
    for (const topic of ["t0", "t1", "t2", "t3"])
      expect(chosen.filter((item) => item.topic === topic)).toHaveLength(10);
    expect(chosen).toEqual(itemsOfTier(items(100), "smoke", 1));
    expect(chosen).not.toEqual(itemsOfTier(items(100), "smoke", 2));
    expect(chosen.map(({ id }) => id)).toEqual(
      [...items(100)].map(({ id }) => id).filter((id) => chosen.some((item) => item.id === id)),
    );
    expect([itemsOfTier(items(30), "smoke", 1).length, itemsOfTier(items(100), "full", 1).length]).toEqual([30, 100]);
  });
});

describe("the lock file", () => {
  const lock = { goldDigest: "sha256:a", embedder: "lexical/1", mGold: 0.6, mDecoy: 0.95, auc: 0.99 };

  it("reads back what was written and says why it no longer holds", () => {
    expect(readLock(writeLock(lock))).toEqual({ lock });
    expect(staleReason(lock, "sha256:a", "lexical/1")).toBeNull();
    expect(staleReason(lock, "sha256:b", "lexical/1")).toContain("gold set changed");
    expect(staleReason(lock, "sha256:a", "other")).toContain("the judge is other");
  });

  it("refuses other keys, versions and ranges, all at once", () => {
    const text = writeLock(lock)
      .replace('"version": 1', '"version": 2')
      .replace("m_gold", "mgold")
      .replace("0.99", "1.5");
    const problems = readLock(text);
    if ("lock" in problems) throw new Error("expected problems");
    expect(problems.map(({ code }) => code).sort()).toEqual(["E232", "E234", "E235", "E235"]);
    expect(problems.find(({ code }) => code === "E234")?.message).toContain('did you mean "m_gold"?');
  });
});
