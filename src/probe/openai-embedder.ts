import { z } from "zod";
import type { Vector } from "../core/measure/cosine.ts";
import { readText } from "../ports/bounded-body.ts";
import type { Clock } from "../ports/clock.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { Embedder } from "../ports/embedder.ts";
import type { Fetch } from "./target.ts";

export interface OpenAiEmbedderConfig {
  /** Base of the API, up to and including `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Revision of the model, where the provider tells one; part of the id. */
  readonly revision?: string;
  /** Asked for and checked in every answer. */
  readonly dims: number;
  /** Put before every text, for models trained with one. */
  readonly prefix?: string;
  /** The key itself; the caller read it from the environment variable that the user named. Null: none is sent. */
  readonly apiKey: string | null;
}

export interface EmbedderTools {
  readonly fetch: Fetch;
  readonly clock: Clock;
}

const BATCH = 64;
const BATCHES_AT_ONCE = 4;
const TRIES_MAX = 5;
const RETRY_BASE_MS = 250;
const RETRY_MAX_MS = 30_000;
const TIMEOUT_MS = 60_000;
/** 64 texts of 4,096 dimensions as JSON numbers are about 6 MB. */
const ANSWER_BYTES_MAX = 33_554_432;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()) })),
});

/**
 * A judge behind an OpenAI-compatible `POST {baseUrl}/embeddings`. Texts go out in batches of 64; 429 and 5xx are tried
 * up to 5 times, as late as `Retry-After` asks. Rejects with DriverError: `unauthorized` (check the key), `rejected`
 * (the request or the answer is wrong: check model and dims), `unreachable`, `timeout`.
 * @source OpenAI API reference "Create embeddings": input, model, dimensions; data[].index and data[].embedding
 */
export function openAiEmbedder(config: OpenAiEmbedderConfig, tools: EmbedderTools): Embedder {
  const { model, revision = "-", dims, prefix = "" } = config;
  return {
    id: `openai/${model}@${revision}:${dims}d${prefix === "" ? "" : `:prefix ${JSON.stringify(prefix)}`}`,
    async embed(texts, signal) {
      const batches = Array.from({ length: Math.ceil(texts.length / BATCH) }, (_, i) =>
        texts.slice(i * BATCH, (i + 1) * BATCH).map((text) => prefix + text),
      );
      const vectors = new Map<number, readonly Vector[]>();
      const pending = batches.entries();
      const work = async (): Promise<void> => {
        for (const [index, batch] of pending) vectors.set(index, await embedBatch(batch, config, tools, signal));
      };
      await Promise.all(Array.from({ length: Math.min(BATCHES_AT_ONCE, batches.length) }, work));
      return batches.flatMap((_, index) => vectors.get(index) ?? []);
    },
  };
}

async function embedBatch(
  batch: readonly string[],
  config: OpenAiEmbedderConfig,
  tools: EmbedderTools,
  signal: AbortSignal,
): Promise<readonly Vector[]> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const tried = await tryBatch(batch, config, tools, signal);
    if ("vectors" in tried) return tried.vectors;
    if (tried.error.retry !== "safe" || attempt === TRIES_MAX) throw tried.error;
    const waitMs = tried.retryAfterMs ?? RETRY_BASE_MS * 2 ** (attempt - 1);
    await tools.clock.sleep(Math.min(waitMs, RETRY_MAX_MS), signal);
  }
}

type Tried =
  | { readonly vectors: readonly Vector[] }
  | { readonly error: DriverError; readonly retryAfterMs: number | null };

async function tryBatch(
  batch: readonly string[],
  { baseUrl, model, dims, apiKey }: OpenAiEmbedderConfig,
  { fetch, clock }: EmbedderTools,
  signal: AbortSignal,
): Promise<Tried> {
  const url = `${baseUrl.replace(/\/+$/, "")}/embeddings`;
  const until = clock.timeout(TIMEOUT_MS, signal);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ model, input: batch, dimensions: dims, encoding_format: "float" }),
      redirect: "manual",
      signal: until,
    });
    if (!response.ok) return await refused(response, url, clock);
    const { kind, text } = await readText(response.body, { bytesMax: ANSWER_BYTES_MAX, until });
    if (kind === "whole") return understand(JSON.parse(text), batch.length, dims, url);
    const found = kind === "late" ? `took longer than ${TIMEOUT_MS} ms` : `is larger than ${ANSWER_BYTES_MAX} bytes`;
    return { error: new DriverError("rejected", "never", `embedder ${url}: the answer ${found}`), retryAfterMs: null };
  } catch (cause) {
    signal.throwIfAborted();
    const isTimeout = cause instanceof Error && cause.name === "TimeoutError";
    const code = isTimeout ? "timeout" : "unreachable";
    const message = `embedder ${url} ${isTimeout ? `did not answer in ${TIMEOUT_MS} ms` : "could not be read"}`;
    return { error: new DriverError(code, "safe", message, cause), retryAfterMs: null };
  }
}

async function refused(response: Response, url: string, clock: Clock): Promise<Tried> {
  response.body?.cancel().catch(() => {}); // The connection may be gone already.
  const { status } = response;
  const found = `embedder ${url} answered ${status}`;
  if (status === 401 || status === 403) {
    const message = `${found}: check the key in the environment variable that was named`;
    return { error: new DriverError("unauthorized", "never", message), retryAfterMs: null };
  }
  if (status === 429 || status >= 500) {
    const retryAfterMs = retryAfter(response.headers.get("retry-after"), clock);
    return { error: new DriverError("unreachable", "safe", `${found}: busy or broken, try later`), retryAfterMs };
  }
  return { error: new DriverError("rejected", "never", `${found}: check model and dims`), retryAfterMs: null };
}

/** Seconds or a date. @source RFC 9110 §10.2.3 */
function retryAfter(value: string | null, clock: Clock): number | null {
  if (value === null) return null;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - clock.wallMs());
}

function understand(body: unknown, count: number, dims: number, url: string): Tried {
  const wrong = (found: string): Tried => {
    const message = `embedder ${url}: ${found}`;
    return { error: new DriverError("rejected", "never", message), retryAfterMs: null };
  };
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) return wrong("the answer is not {data: [{index, embedding: [numbers]}]}");
  const vectors = new Map(parsed.data.data.map(({ index, embedding }) => [index, embedding]));
  if (vectors.size !== count) return wrong(`${vectors.size} embeddings for ${count} texts`);
  const ordered = Array.from({ length: count }, (_, index) => vectors.get(index) ?? []);
  const odd = ordered.find((vector) => vector.length !== dims);
  return odd === undefined
    ? { vectors: ordered }
    : wrong(`an embedding has ${odd.length} dimensions, expected ${dims}`);
}
