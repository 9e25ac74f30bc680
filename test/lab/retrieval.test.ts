import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type LabEngine, labEngine } from "../../src/lab/engine.ts";
import { loadCorpus } from "../../src/probe/corpus-file.ts";
import type { Section } from "../../src/probe/markdown.ts";
import { buildIndex, planIndex } from "../../src/lab/lab-index.ts";
import { chunkSchema } from "../../src/lab/chunker.ts";
import { labManifest } from "../../src/lab/release.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const XQUAD = process.env["SLUICE_XQUAD"] ?? join(ROOT, "../shared/data/xquad");
const GOLD = join(ROOT, "docs/gold/handbook.yaml");

function isThere(path: string): boolean {
  if (existsSync(path)) return true;
  console.log(`skipped: no data at ${path}`);
  return false;
}

async function engineOf(path: string): Promise<{ engine: LabEngine; sections: readonly Section[] }> {
  const sections = await loadCorpus(path);
  const index = buildIndex(
    planIndex(sections, { name: "test", metric: "cosine", chunk: chunkSchema() }),
    "2026-01-01T00:00:00Z",
  );
  return {
    engine: await labEngine(index, labManifest(index.manifest, "1", new Map()), sections, new Map(), 1),
    sections,
  };
}

interface Asked {
  readonly question: string;
  /** Sections that answer it; none for a question to refuse. */
  readonly gold: readonly string[];
}

async function measure(engine: LabEngine, sections: readonly Section[], asked: readonly Asked[]) {
  const sums = { hit: 0, cited: 0, coverage: 0, refused: 0 };
  for (const { question, gold } of asked) {
    const { answer } = await engine.answer(question, 10, 0, null);
    const { retrieved, citations, refused } = answer;
    sums.hit += Number(retrieved.some(({ section }) => gold.includes(section)));
    sums.cited += Number(citations.some(({ section }) => gold.includes(section)));
    sums.refused += Number(refused);
    const points = gold.map((id) => [...sections.find(({ section }) => section === id)!.text].length);
    const covered = gold.map((id) => {
      const held = new Set<number>();
      for (const { section, start, end } of retrieved)
        if (section === id) for (let at = start; at < end; at++) held.add(at);
      return held.size;
    });
    const sum = (values: readonly number[]) => values.reduce((left, right) => left + right, 0);
    sums.coverage += gold.length === 0 ? 0 : sum(covered) / sum(points);
  }
  const share = (value: number) => value / asked.length;
  return {
    asked: asked.length,
    hit: share(sums.hit),
    cited: share(sums.cited),
    coverage: share(sums.coverage),
    refused: share(sums.refused),
  };
}

describe.runIf(isThere(XQUAD))("retrieval on 150 sections with human questions", () => {
  interface Question {
    readonly question: string;
    readonly section: string;
    readonly disfluent?: string;
  }

  it("finds the gold section in the first 10 chunks of at least 95 % of canonical and 93 % of disfluent questions", async () => {
    const { engine, sections } = await engineOf(join(XQUAD, "corpus.jsonl"));
    const lines = readFileSync(join(XQUAD, "questions.jsonl"), "utf8").trim().split("\n");
    const questions = lines.map((line) => JSON.parse(line) as Question);
    const canonical = await measure(
      engine,
      sections,
      questions.map(({ question, section }) => ({ question, gold: [section] })),
    );
    const rewritten = questions.flatMap(({ disfluent, section }) =>
      disfluent ? [{ question: disfluent, gold: [section] }] : [],
    );
    const disfluent = await measure(engine, sections, rewritten);
    console.log("xquad", JSON.stringify({ canonical, disfluent }));
    expect(sections).toHaveLength(150);
    expect(canonical.hit).toBeGreaterThanOrEqual(0.95);
    expect(disfluent.hit).toBeGreaterThanOrEqual(0.93);
    expect(canonical.coverage).toBeGreaterThanOrEqual(0.8);
    expect(canonical.refused).toBeLessThanOrEqual(0.05);
  });
});

describe.runIf(isThere(GOLD))("retrieval on the handbook", () => {
  interface Item {
    readonly phrasings: readonly string[];
    readonly answerable: boolean;
    readonly gold?: readonly { readonly section: string }[];
  }

  it("finds 95 % of the gold sections and refuses only what the handbook does not answer", async () => {
    const { engine, sections } = await engineOf(join(ROOT, "docs/handbook"));
    const items = parse(readFileSync(GOLD, "utf8")) as readonly Item[];
    const asked = (isAnswerable: boolean) =>
      items
        .filter(({ answerable }) => answerable === isAnswerable)
        .flatMap(({ phrasings, gold = [] }) =>
          phrasings.map((question) => ({ question, gold: gold.map(({ section }) => section) })),
        );
    const [answerable, unanswerable] = [
      await measure(engine, sections, asked(true)),
      await measure(engine, sections, asked(false)),
    ];
    console.log("handbook", JSON.stringify({ answerable, unanswerable }));
    expect(answerable.hit).toBeGreaterThanOrEqual(0.95);
    expect(answerable.coverage).toBeGreaterThanOrEqual(0.9);
    expect(answerable.refused).toBeLessThanOrEqual(0.02);
    expect(unanswerable.refused).toBeGreaterThanOrEqual(0.9);
  });
});
