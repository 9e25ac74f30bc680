import type { Json } from "../canonical-json.ts";
import { digestOf, leafHash, merkleRoot, sha256Hex } from "./merkle.ts";

/** Everything besides the corpus that shapes an index. */
export interface IndexSpec {
  readonly EMBED_SCHEMA: string;
  /** How texts were cut: unit, size, overlap. */
  readonly CHUNK_SCHEMA: Json;
  readonly METRIC: string;
  readonly ANALYZER: string;
  /** What the store was told: kind, type of the numbers, dimensions. */
  readonly STORE: Json;
}

/** One text as it was embedded, and where it stands. */
export interface IndexedChunk {
  readonly id: string;
  readonly section: string;
  /** Code points within the section's text, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Takes in the chunks of an index one by one, in any order. */
export interface IndexHasher {
  /** Keeps the id and 32 bytes of it, not its text. */
  add(chunk: IndexedChunk): void;
  /** Chunks so far. */
  readonly count: number;
  /** An id that was added twice; null when all differ. Such an index has no one meaning for that id. */
  doubled(): string | null;
  /** INDEX_HASH of what was added: 64 hex characters. */
  digest(spec: IndexSpec): string;
}

interface Entry {
  readonly id: string;
  readonly hash: Uint8Array;
}

/** By id in UTF-16 code units, as keys of canonical JSON; equal ids by hash, so that no order of adding counts. */
function byId(left: Entry, right: Entry): number {
  if (left.id !== right.id) return left.id < right.id ? -1 : 1;
  const place = left.hash.findIndex((byte, index) => byte !== right.hash[index]);
  return place < 0 ? 0 : left.hash[place]! - right.hash[place]!;
}

/**
 * INDEX_HASH: SHA-256 of the canonical JSON of {spec, corpus_root, count}, the root over [id, sha256 of the text,
 * section, [start, end]] of each chunk, sorted. Over inputs, never over floats, and without the time of the build: a
 * follower that is rebuilt from the same inputs must match. Frozen by test/vectors/index-hash.v1.json.
 * @source definitions.md §6
 */
export function indexHasher(): IndexHasher {
  const entries: Entry[] = [];
  return {
    add({ id, text, section, start, end }) {
      entries.push({ id, hash: leafHash([id, sha256Hex(text), section, [start, end]]) });
    },
    get count() {
      return entries.length;
    },
    doubled() {
      const sorted = entries.toSorted(byId);
      return sorted.find(({ id }, place) => id === sorted[place - 1]?.id)?.id ?? null;
    },
    digest(spec) {
      const sorted = entries.toSorted(byId);
      const { EMBED_SCHEMA, CHUNK_SCHEMA, METRIC, ANALYZER, STORE } = spec;
      const root = merkleRoot(sorted.map(({ hash }) => hash));
      const shape = { EMBED_SCHEMA, CHUNK_SCHEMA, METRIC, ANALYZER, STORE };
      return digestOf({ spec: shape, corpus_root: root, count: entries.length });
    },
  };
}

/** INDEX_HASH of chunks that are all at hand. */
export function indexHash(spec: IndexSpec, chunks: Iterable<IndexedChunk>): string {
  const hasher = indexHasher();
  for (const chunk of chunks) hasher.add(chunk);
  return hasher.digest(spec);
}
