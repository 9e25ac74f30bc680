import type { Manifest } from "../core/release/manifest.ts";
import type { VectorIndexManifest } from "../ports/vector-index.ts";
import { digestOf } from "../core/release/merkle.ts";
import type { FaultSet } from "./faults.ts";
import { RERANK_CONF } from "./rerank.ts";

const TEMPLATE =
  "Answer from the passages alone, in at most two sentences. Cite every section used. Refuse when none answers.";
const MODEL_VER = "sluice-lab/extractive@1";
const SCHEMA_REV = { min: "sc-1", max: "sc-1" } as const;
const SECRETS_REV = "lab-1";

/**
 * Identity of a laboratory release. `label` tells two releases apart that are otherwise equal, and is part of
 * PROMPT_VER, as is the fault `healthy`. `release_id` is 16 hex characters of the digest of all but BUILD_TS.
 * @source definitions.md §1, §6
 */
export function labManifest(index: VectorIndexManifest, label: string, faults: FaultSet): Manifest {
  const version = faults.has("healthy") ? `${label}+healthy` : label;
  const { INDEX_HASH, METRIC, ANALYZER, EMBED_SCHEMA, BUILD_TS } = index;
  const identity = {
    INDEX_HASH,
    METRIC,
    ANALYZER,
    EMBED_SCHEMA,
    RERANK_CONF,
    PROMPT_VER: `${version}#${digestOf({ version, template: TEMPLATE }).slice(0, 8)}`,
    MODEL_VER,
    SCHEMA_REV,
    secrets_rev: SECRETS_REV,
  };
  return { release_id: digestOf(identity).slice(0, 16), ...identity, BUILD_TS };
}
