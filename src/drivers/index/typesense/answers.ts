import { z } from "zod";
import type { IndexFacts } from "../../../core/release/index-facts.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { stampOf } from "../stamp.ts";

export const NAME = "index/typesense";

/** Key of a collection's metadata that holds the stamp. */
const STAMP_KEY = "sluice_stamp";

/** @source Typesense 30 documentation, "Collections" and "Collection Alias" */
const collection = z.object({
  name: z.string(),
  num_documents: z.number().int().nonnegative(),
  fields: z.array(
    z.object({ name: z.string(), type: z.string(), num_dim: z.number().nullish(), vec_dist: z.string().nullish() }),
  ),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

const alias = z.object({ name: z.string(), collection_name: z.string() });

function understood<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const found = `${NAME}: ${what} was answered in a form that is not Typesense's`;
  throw new DriverError("rejected", "never", `${found}: ${z.prettifyError(read.error)}; is the address right?`);
}

/** The collection that an alias points to. */
export const targetOf = (body: unknown): string => understood(alias, body, "an alias").collection_name;

/** The collection's own name: under an alias it is another one than was asked for. */
export const nameOf = (body: unknown): string => understood(collection, body, "a collection").name;

/** The INDEX_HASH that a collection is stamped with. */
export function hashOf(body: unknown): string | null {
  return stampOf(understood(collection, body, "a collection").metadata?.[STAMP_KEY])?.indexHash ?? null;
}

/** What a collection says of itself. Of several vector fields that differ no one metric can be told. */
export function factsOf(body: unknown): IndexFacts {
  const { name, num_documents: count, fields, metadata } = understood(collection, body, "a collection");
  const vectors = fields
    .filter(({ type, num_dim: dims }) => type === "float[]" && dims != null && dims > 0)
    .map(({ num_dim: dims, vec_dist: metric }) => ({ dims: dims ?? 0, metric: metric ?? "cosine" }));
  const [first, ...others] = vectors;
  const isOne =
    first !== undefined && others.every(({ dims, metric }) => dims === first.dims && metric === first.metric);
  const stamp = stampOf(metadata?.[STAMP_KEY]);
  const [dims, metric] = isOne ? [first.dims, first.metric] : [null, null];
  return { name, count, dims, metric, analyzer: null, stamp, notReady: null };
}
