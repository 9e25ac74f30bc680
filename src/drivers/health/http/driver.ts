import { z } from "zod";
import type { ObservedManifest } from "../../../core/release/manifest.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { HealthReader } from "../../../ports/health.ts";

const TIMEOUT_MS = 2_000;
const ANSWER_MAX_CHARS = 65_536;

const text = z.string().max(1_000);

/** Health answer of a service. Other fields are allowed and left out: only the identity is read. */
const healthAnswer = z.object({
  ready: z.boolean(),
  release_id: text,
  INDEX_HASH: text,
  METRIC: text,
  ANALYZER: text,
  EMBED_SCHEMA: text,
  RERANK_CONF: text,
  PROMPT_VER: text,
  MODEL_VER: text,
  SCHEMA_REV: z.object({ min: text, max: text }),
  secrets_rev: text,
  BUILD_TS: text,
});

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function observed(status: number, body: string): ObservedManifest {
  if (status !== 200) return { kind: "unreadable", reason: `status ${status}, expected 200` };
  const parsed = healthAnswer.safeParse(parseJson(body));
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join(".") || "the whole answer").join(", ");
    return { kind: "unreadable", reason: `not a health answer of the documented shape: ${fields}` };
  }
  const { ready, ...manifest } = parsed.data;
  return ready ? { kind: "read", manifest } : { kind: "unreadable", reason: "the service says it is not ready" };
}

/** Reads manifests over HTTP. Redirects are not followed: a health address is exact. */
export function httpHealth(clock: Clock, fetcher: typeof fetch = fetch): HealthReader {
  return {
    async read(healthUrl, signal) {
      try {
        const response = await fetcher(healthUrl, {
          signal: clock.timeout(TIMEOUT_MS, signal),
          redirect: "error",
          headers: { accept: "application/json" },
        });
        return observed(response.status, (await response.text()).slice(0, ANSWER_MAX_CHARS));
      } catch (error) {
        const { cause, message } = error as Error & { cause?: { code?: string } };
        return { kind: "unreadable", reason: `no answer (${cause?.code ?? message})` };
      }
    },
  };
}
