import type { ByArm } from "../arm.ts";

/**
 * Identity of a release as its health endpoint states it. Names keep the wire spelling because operators grep for them.
 * Hashes and tags are compared for equality only; SCHEMA_REV is ordered.
 * @source definitions.md §1, §6
 */
export interface Manifest {
  readonly release_id: string;
  readonly INDEX_HASH: string;
  readonly METRIC: string;
  readonly ANALYZER: string;
  readonly EMBED_SCHEMA: string;
  readonly RERANK_CONF: string;
  readonly PROMPT_VER: string;
  readonly MODEL_VER: string;
  readonly SCHEMA_REV: { readonly min: string; readonly max: string };
  readonly secrets_rev: string;
  readonly BUILD_TS: string;
  /** What was deployed, e.g. a commit or the platform's own revision: a label, never compared. */
  readonly revision?: string | undefined;
}

export type ManifestField = Exclude<keyof Manifest, "revision">;

/** BUILD_TS is left out: a follower rebuilt from the same inputs is the same release. */
const IDENTITY_FIELDS: readonly ManifestField[] = [
  "release_id",
  "INDEX_HASH",
  "METRIC",
  "ANALYZER",
  "EMBED_SCHEMA",
  "RERANK_CONF",
  "PROMPT_VER",
  "MODEL_VER",
  "SCHEMA_REV",
  "secrets_rev",
];

/** Fields that may not differ between the arms of a rollout unless its `changes` list names them. */
export const DECLARED_FIELDS: readonly ManifestField[] = ["METRIC", "ANALYZER", "EMBED_SCHEMA"];

export interface FieldDifference {
  readonly field: ManifestField;
  readonly left: string;
  readonly right: string;
}

function shown(value: Manifest[ManifestField]): string {
  return typeof value === "string" ? value : `${value.min}..${value.max}`;
}

/** The given fields in which two manifests differ, in the given order. */
export function manifestDifferences(
  left: Manifest,
  right: Manifest,
  fields: readonly ManifestField[] = IDENTITY_FIELDS,
): readonly FieldDifference[] {
  return fields
    .map((field) => ({ field, left: shown(left[field]), right: shown(right[field]) }))
    .filter((difference) => difference.left !== difference.right);
}

/** An arm's health answer: its manifest, or why there is none. */
export type ObservedManifest =
  | { readonly kind: "read"; readonly manifest: Manifest }
  /** `unasked`: we have not what it takes to ask, which says nothing of the service. */
  | { readonly kind: "unreadable"; readonly reason: string; readonly unasked?: true };

/** What was pinned when the rollout began; null before the first successful check. */
export type PinnedManifests = ByArm<Manifest> | null;
