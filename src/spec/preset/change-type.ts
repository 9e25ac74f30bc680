import type { GateName } from "../../core/judge/gates.ts";

/** What a release may change. @source requirements.md GQ-37 (pages 001 and 002, "Invoke when") */
export const CHANGE_TYPES = [
  "code",
  "config",
  "secrets",
  "prompt",
  "prompt-schema",
  "model",
  "provider",
  "index",
  "retriever",
  "reranker",
  "analyzer",
  "store",
  "tool-contract",
  "region",
  "cache-strategy",
] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

const SERVICE: readonly GateName[] = ["error-rate", "new-error-class", "p95-warm"];
const ANSWERS: readonly GateName[] = ["schema-violation", "coverage", "lambda"];
const RETRIEVAL: readonly GateName[] = ["parity", "coverage", "delta-s", "lambda"];

/**
 * The gates a kind of change cannot do without, beside those of the preset: what users see for every change, answers
 * when a model or prompt changes, retrieval when anything between question and sections does.
 */
const REQUIRED: { readonly [type in ChangeType]: readonly GateName[] } = {
  code: SERVICE,
  config: [...SERVICE, "parity"],
  secrets: SERVICE,
  prompt: [...SERVICE, ...ANSWERS],
  "prompt-schema": [...SERVICE, ...ANSWERS],
  model: [...SERVICE, ...ANSWERS, "delta-s"],
  provider: [...SERVICE, ...ANSWERS, "cold-share"],
  index: [...SERVICE, ...RETRIEVAL],
  retriever: [...SERVICE, ...RETRIEVAL],
  reranker: [...SERVICE, ...RETRIEVAL],
  analyzer: [...SERVICE, ...RETRIEVAL],
  store: [...SERVICE, ...RETRIEVAL],
  "tool-contract": [...SERVICE, "schema-violation", "tool-loop"],
  region: [...SERVICE, "parity", "cold-share"],
  "cache-strategy": [...SERVICE, "cache-hit-drop", "cache-collision"],
};

/** Every gate that one of the kinds of change asks for. */
export function gatesOfChange(types: readonly ChangeType[]): readonly GateName[] {
  return [...new Set(types.flatMap((type) => REQUIRED[type]))];
}
