import { z } from "zod";
import type { IndexStamp } from "../../core/release/index-facts.ts";

/** A stamp as it is kept in a store, under the names that services state too. */
const kept = z.object({
  INDEX_HASH: z.string().regex(/^[0-9a-f]{64}$/),
  METRIC: z.string().min(1),
  ANALYZER: z.string().min(1),
  EMBED_SCHEMA: z.string().min(1),
  BUILD_TS: z.string().min(1),
  COUNT: z.number().int().min(0),
});

/** A stamp in the form that is kept. */
export type KeptStamp = z.infer<typeof kept>;

/** The form that is kept of a stamp. */
export function keptStamp(stamp: IndexStamp): KeptStamp {
  return {
    INDEX_HASH: stamp.indexHash,
    METRIC: stamp.metric,
    ANALYZER: stamp.analyzer,
    EMBED_SCHEMA: stamp.embedSchema,
    BUILD_TS: stamp.builtAt,
    COUNT: stamp.count,
  };
}

/** What a store keeps, as a stamp; null for anything else, which is no stamp: half of one proves nothing. */
export function stampOf(value: unknown): IndexStamp | null {
  const read = kept.safeParse(value);
  if (!read.success) return null;
  const { INDEX_HASH, METRIC, ANALYZER, EMBED_SCHEMA, BUILD_TS, COUNT } = read.data;
  return {
    indexHash: INDEX_HASH,
    metric: METRIC,
    analyzer: ANALYZER,
    embedSchema: EMBED_SCHEMA,
    builtAt: BUILD_TS,
    count: COUNT,
  };
}

/** The same from a text of JSON; null for any other text. */
export function stampOfText(text: string | null): IndexStamp | null {
  if (text === null || !text.startsWith("{")) return null;
  try {
    return stampOf(JSON.parse(text));
  } catch {
    return null;
  }
}
