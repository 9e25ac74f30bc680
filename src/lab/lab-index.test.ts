import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { chunkSchema } from "./chunker.ts";
import { indexHash } from "../core/release/index-hash.ts";
import { digestOf, leafHash, merkleRoot } from "../core/release/merkle.ts";
import type { Section } from "../probe/markdown.ts";
import { buildIndex, embeddedText, indexDefect, planIndex } from "./lab-index.ts";
import { EMBED_DIMS, lexicalEmbedder } from "./lexical-embedder.ts";

const sections: readonly Section[] = [
  {
    doc: "boats",
    section: "boats#mooring",
    text: "A boat is moored with two ropes, one at the bow and one at the stern.",
  },
  { doc: "boats", section: "boats#fuel", text: "Fuel is sold at the eastern pier until six in the evening." },
  { doc: "birds", section: "birds#terns", text: "Terns nest on the gravel island and must not be disturbed in May." },
];
const plan = (corpus = sections, words = 80, metric: "cosine" | "l2" = "cosine") => {
  return planIndex(corpus, { name: "main", metric, chunk: chunkSchema(words) });
};

describe("INDEX_HASH", () => {
  it("is sha256 over canonical {spec, corpus_root, count} (definitions.md §6)", () => {
    const { spec, chunks, INDEX_HASH } = plan();
    const leaves = [...chunks]
      .sort((left, right) => (left.id < right.id ? -1 : 1))
      .map(({ id, text, section, start, end }) => {
        return [id, createHash("sha256").update(text).digest("hex"), section, [start, end]] as const;
      });
    expect(INDEX_HASH).toBe(digestOf({ count: 3, corpus_root: merkleRoot(leaves.map(leafHash)), spec: { ...spec } }));
    expect(INDEX_HASH).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is the same for a rebuild at another time, and for the same chunks in another order", () => {
    const [first, second] = [buildIndex(plan(), "2026-01-01T00:00:00Z"), buildIndex(plan(), "2027-01-01T00:00:00Z")];
    expect(second.manifest.INDEX_HASH).toBe(first.manifest.INDEX_HASH);
    expect(second.rows).toEqual(first.rows);
    expect(indexHash(first.spec, [...first.chunks].reverse())).toBe(first.manifest.INDEX_HASH);
  });

  it("differs when a text, a section id, the chunking, the metric or the number of sections differs", () => {
    const altered = sections.with(1, { ...sections[1]!, text: sections[1]!.text.replace("six", "ten") });
    const renamed = sections.with(1, { ...sections[1]!, section: "boats#petrol" });
    const hashes = [
      plan(),
      plan(altered),
      plan(renamed),
      plan(sections, 8),
      plan(sections, 80, "l2"),
      plan(sections.slice(1)),
    ];
    expect(new Set(hashes.map(({ INDEX_HASH }) => INDEX_HASH)).size).toBe(6);
  });

  it("refuses a corpus without a word", () => {
    expect(() => plan([{ doc: "a", section: "a#b", text: " " }])).toThrow(/hold no word/);
  });
});

describe("indexDefect", () => {
  const index = buildIndex(plan(), "2026-01-01T00:00:00Z");
  const embedder = lexicalEmbedder(index.statistics);

  it("finds none in a fresh index", () => {
    expect(indexDefect(index, embedder)).toBeNull();
  });

  it("finds a vector that is not its text's", () => {
    const rows = index.rows.slice();
    rows.set(embedder.embed(embeddedText(index.chunks[0]!)), EMBED_DIMS);
    expect(indexDefect({ ...index, rows }, embedder)).toMatch(/row 1 has cosine/);
  });

  it("finds missing vectors and a stamp that is not the content's", () => {
    expect(indexDefect({ ...index, rows: index.rows.slice(EMBED_DIMS) }, embedder)).toBe("3 chunks but 2 vectors");
    const stamped = { ...index, manifest: { ...index.manifest, INDEX_HASH: "0".repeat(64) } };
    expect(indexDefect(stamped, embedder)).toMatch(/^stamped INDEX_HASH 0{64}, its content hashes to/);
  });
});
