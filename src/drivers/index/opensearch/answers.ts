import { z } from "zod";
import type { IndexFacts } from "../../../core/release/index-facts.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { stampOf } from "../stamp.ts";

export const NAME = "index/opensearch";

/** Key of a mapping's `_meta` that holds the stamp. */
const STAMP_KEY = "sluice_stamp";

/** @source OpenSearch documentation, "k-NN vector"; Elasticsearch reference, "Dense vector field type" */
const field = z.object({
  type: z.string().optional(),
  dimension: z.number().optional(),
  space_type: z.string().optional(),
  method: z.object({ space_type: z.string().optional() }).optional(),
  dims: z.number().optional(),
  similarity: z.string().optional(),
  analyzer: z.string().optional(),
});

type Field = z.infer<typeof field>;

const mappings = z.object({
  _meta: z.record(z.string(), z.unknown()).optional(),
  properties: z.record(z.string(), field).optional(),
});

const byIndex = z.record(z.string(), z.object({ mappings }));
const members = z.record(z.string(), z.object({ aliases: z.record(z.string(), z.unknown()) }));
const counted = z.object({ count: z.number().int().nonnegative(), _shards: z.object({ failed: z.number() }) });
const health = z.object({ status: z.string() });
const answered = z.object({
  aggregations: z.object({ answered: z.object({ buckets: z.array(z.object({ key: z.string() })) }) }),
});
const source = z.object({ index: z.string(), epoch: z.number().int(), previous: z.string().nullable() });
const document = z.object({ _seq_no: z.number(), _primary_term: z.number(), _source: source });

const METRICS: Readonly<Record<string, string>> = {
  cosinesimil: "cosine",
  cosine: "cosine",
  l2: "l2",
  l2_norm: "l2",
  innerproduct: "ip",
  dot_product: "ip",
  max_inner_product: "ip",
};
const VECTOR_TYPES = ["knn_vector", "dense_vector"];
/** What a text field is analysed by when its mapping does not say. */
const DEFAULT_ANALYZER = "standard";

function understood<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const found = `${NAME}: ${what} was answered in a form that is not OpenSearch's`;
  throw new DriverError("rejected", "never", `${found}: ${z.prettifyError(read.error)}; is the address right?`);
}

/** Indexes that carry an alias. */
export function membersOf(body: unknown): readonly string[] {
  return Object.keys(understood(members, body, "an alias"));
}

/** A record of ours and the version that a write compares. */
export function documentOf(body: unknown): z.infer<typeof document> {
  return understood(document, body, "a record of ours");
}

/** Indexes of which a search found documents. */
export function answeringOf(body: unknown): readonly string[] {
  return understood(answered, body, "a search").aggregations.answered.buckets.map(({ key }) => key);
}

/** The mapping of one index; null where the answer is of another one, as for an alias. */
function mappingOf(index: string, body: unknown) {
  const all = understood(byIndex, body, "a mapping");
  return Object.hasOwn(all, index) ? all[index]!.mappings : null;
}

/** INDEX_HASH that the mapping of an index carries. */
export function hashOf(index: string, body: unknown): string | null {
  return stampOf(mappingOf(index, body)?._meta?.[STAMP_KEY])?.indexHash ?? null;
}

function metricOf({ space_type: own, method, similarity }: Field): string | null {
  const word = own ?? method?.space_type ?? similarity;
  return word === undefined ? null : (METRICS[word] ?? word);
}

function onlyOne<T>(values: readonly T[]): T | null {
  const all = new Set(values);
  return all.size === 1 ? (values[0] as T) : null;
}

/** What an index says of itself; null where the answers are of another one. */
export function factsOf(name: string, answers: Record<"mapping" | "count" | "health", unknown>): IndexFacts | null {
  const mapping = mappingOf(name, answers.mapping);
  if (mapping === null) return null;
  const { count, _shards } = understood(counted, answers.count, "a count");
  const { status } = understood(health, answers.health, "the health of an index");
  const fields = Object.values(mapping.properties ?? {});
  const searched = fields.filter(({ type }) => VECTOR_TYPES.includes(type ?? ""));
  const texts = fields.filter(({ type }) => type === "text");
  const failed = _shards.failed === 0 ? null : `${_shards.failed} of its shards did not count`;
  return {
    name,
    count,
    dims: onlyOne(searched.map(({ dimension, dims }) => dimension ?? dims ?? null)),
    metric: onlyOne(searched.map(metricOf)),
    analyzer: onlyOne(texts.map(({ analyzer = DEFAULT_ANALYZER }) => analyzer)),
    stamp: stampOf(mapping._meta?.[STAMP_KEY]),
    notReady: status === "red" ? "shards of it are missing (its health is red)" : failed,
  };
}
