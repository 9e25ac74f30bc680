import { z } from "zod";
import type { IndexFacts } from "../../../core/release/index-facts.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { stampOf } from "../stamp.ts";

export const NAME = "index/qdrant";

/** Key of a collection's metadata that holds the stamp. */
const STAMP_KEY = "sluice_stamp";

const vectors = z.object({ size: z.number(), distance: z.string() });

/** @source Qdrant OpenAPI 1.17, CollectionInfo; fields that older servers lack are optional */
const collection = z.object({
  result: z.object({
    status: z.string(),
    optimizer_status: z.union([z.string(), z.object({ error: z.string() })]),
    update_queue: z.object({ length: z.number() }).nullish(),
    config: z.object({
      params: z.object({ vectors: z.union([vectors, z.record(z.string(), vectors)]).nullish() }),
      metadata: z.record(z.string(), z.unknown()).nullish(),
    }),
  }),
});

const aliases = z.object({
  result: z.object({ aliases: z.array(z.object({ alias_name: z.string(), collection_name: z.string() })) }),
});

const counted = z.object({ result: z.object({ count: z.number().int().nonnegative() }) });

const record = z.object({ index: z.string(), epoch: z.number().int(), previous: z.string().nullable() });
const point = z.object({ result: z.object({ payload: record }) });

/** @source Qdrant OpenAPI, Distance */
const METRICS: Readonly<Record<string, string>> = { Cosine: "cosine", Euclid: "l2", Dot: "ip", Manhattan: "l1" };

function understood<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const found = `${NAME}: ${what} was answered in a form that is not Qdrant's`;
  throw new DriverError("rejected", "never", `${found}: ${z.prettifyError(read.error)}; is the address right?`);
}

/** The collection that each alias points to. */
export function aliasesOf(body: unknown): ReadonlyMap<string, string> {
  const { result } = understood(aliases, body, "the list of aliases");
  return new Map(result.aliases.map(({ alias_name, collection_name }) => [alias_name, collection_name]));
}

/** Points of an exact count. */
export function countOf(body: unknown): number {
  return understood(counted, body, "a count").result.count;
}

/** The record of a name. */
export function recordOf(body: unknown): z.infer<typeof record> {
  return understood(point, body, "a record of ours").result.payload;
}

/** The INDEX_HASH that a collection is stamped with. */
export function hashOf(body: unknown): string | null {
  return stampOf(understood(collection, body, "a collection").result.config.metadata?.[STAMP_KEY])?.indexHash ?? null;
}

/** A collection that serves less than it holds: optimisers that run or have failed, updates that wait. */
function notReady({ status, optimizer_status: optimizer, update_queue: queue }: z.infer<typeof collection>["result"]) {
  if (typeof optimizer !== "string") return `its optimiser failed: ${optimizer.error}`;
  if (status !== "green") return `its status is ${status}`;
  return queue != null && queue.length > 0 ? `${queue.length} updates wait in its queue` : null;
}

/** What a collection says of itself. Of several named vectors no one metric can be told. */
export function factsOf(name: string, body: unknown, count: number): IndexFacts {
  const { result } = understood(collection, body, "a collection");
  const stamp = stampOf(result.config.metadata?.[STAMP_KEY]);
  const given = result.config.params.vectors ?? {};
  const single = vectors.safeParse(given);
  const all = single.success
    ? [single.data]
    : Object.values(given as Readonly<Record<string, z.infer<typeof vectors>>>);
  const [first, ...others] = all;
  const isOne = others.every(({ size, distance }) => size === first?.size && distance === first.distance);
  const metric = first === undefined || !isOne ? null : (METRICS[first.distance] ?? first.distance);
  const dims = first === undefined || !isOne ? null : first.size;
  return { name, count, dims, metric, analyzer: null, stamp, notReady: notReady(result) };
}
