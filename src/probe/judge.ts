import { assert } from "../core/assert.ts";
import type { Vector } from "../core/measure/cosine.ts";
import { type Distance, deltaS, type Embedded } from "../core/measure/delta-s.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { Embedder } from "../ports/embedder.ts";

/** Numbers kept in memory over all cached vectors: 64 MiB as float64. */
const NUMBERS_MAX = 8 * 1024 * 1024;

/** Distances between texts of one batch of work; every text was announced when it was prepared. */
export interface Distances {
  between(left: string, right: string): Distance;
}

/** Embeds each text once while it is remembered; the least recently used vectors go first. */
export interface Judge {
  readonly id: string;
  /** Embeds what is not known yet and answers for these texts. Rejects with DriverError or when the signal aborts. */
  prepare(texts: Iterable<string>, signal: AbortSignal): Promise<Distances>;
}

export function createJudge(embedder: Embedder): Judge {
  const cache = new Map<string, Vector>();
  let numbers = 0;
  let dims: number | null = null;
  const remember = (text: string, vector: Vector): void => {
    if (!cache.has(text)) numbers += vector.length;
    cache.delete(text);
    cache.set(text, vector);
  };
  const forget = (): void => {
    for (const [text, vector] of cache) {
      if (numbers <= NUMBERS_MAX) return;
      cache.delete(text);
      numbers -= vector.length;
    }
  };
  return {
    id: embedder.id,
    async prepare(texts, signal) {
      const wanted = [...new Set(texts)].filter((text) => text.trim() !== "");
      const unknown = wanted.filter((text) => !cache.has(text));
      const fresh = unknown.length === 0 ? [] : await embedder.embed(unknown, signal);
      dims = checkVectors(embedder.id, unknown.length, fresh, dims);
      const freshAt = new Map(unknown.map((text, index) => [text, fresh[index] as Vector]));
      const vectors = new Map<string, Vector>();
      for (const text of wanted) {
        const vector = freshAt.get(text) ?? cache.get(text);
        assert(vector !== undefined, "a text has a vector");
        vectors.set(text, vector);
        remember(text, vector);
      }
      forget();
      return distancesOf(vectors);
    },
  };
}

/**
 * Checks what an embedder gave, because a NaN among distances would meet every limit it is compared with.
 * @param dims length of its vectors so far; null before the first
 * @returns the length of its vectors. Throws DriverError `rejected`
 */
function checkVectors(id: string, texts: number, vectors: readonly Vector[], dims: number | null): number | null {
  const reject = (found: string): never => {
    const message = `embedder ${id}: ${found}; expected one vector of finite numbers a text, all of one length`;
    throw new DriverError("rejected", "never", `${message}: check the embedder`);
  };
  if (vectors.length !== texts) reject(`${vectors.length} vectors for ${texts} texts`);
  const length = dims ?? vectors[0]?.length ?? null;
  for (const vector of vectors) {
    if (vector.length !== length) reject(`a vector of length ${vector.length} after one of length ${length}`);
    for (let i = 0; i < vector.length; i++) {
      if (!Number.isFinite(vector[i])) reject(`coordinate ${i} of a vector is ${vector[i]}`);
    }
  }
  return length;
}

function distancesOf(vectors: ReadonlyMap<string, Vector>): Distances {
  const known = new Map<string, Map<string, Distance>>();
  const embedded = (text: string): Embedded => {
    const vector = vectors.get(text) ?? null;
    assert(vector !== null || text.trim() === "", "a distance is asked of a text that was announced");
    return vector;
  };
  return {
    between(left, right) {
      const row = known.get(left) ?? new Map<string, Distance>();
      known.set(left, row);
      const distance = row.get(right) ?? deltaS(embedded(left), embedded(right));
      row.set(right, distance);
      return distance;
    },
  };
}
