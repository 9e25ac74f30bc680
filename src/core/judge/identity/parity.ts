import { type ByArm, SERVING_ARMS, type ServingArm } from "../../arm.ts";
import {
  DECLARED_FIELDS,
  type FieldDifference,
  type Manifest,
  type ManifestField,
  manifestDifferences,
  type ObservedManifest,
  type PinnedManifests,
} from "../../release/manifest.ts";
import { defineGate } from "../definition.ts";
import { unmeasured, type Verdict } from "../../verdict.ts";

const NAME = "parity";

function hardVerdict(kind: "pass" | "fail", reason: string): Verdict {
  const samples = { stable: 1, candidate: 1 };
  return {
    gate: NAME,
    kind,
    estimate: null,
    interval: null,
    samples,
    threshold: null,
    alpha: null,
    eValue: null,
    reason,
    needs: null,
  };
}

function unread(arm: ServingArm, reason: string): Verdict {
  return unmeasured(
    NAME,
    "error",
    `the health answer of ${arm} cannot be read: ${reason}`,
    `a health answer of ${arm}`,
  );
}

function list(differences: readonly FieldDifference[]): string {
  return differences.map(({ field, left, right }) => `${field} ${left} != ${right}`).join(", ");
}

/**
 * Arms that differ in their reranker alone are easily taken for a better index or prompt (IX-12), and a candidate with
 * other secrets may fail its first call (SE-8). Neither stops anything: the gold set and the errors say what they do.
 */
function toldBeside({ stable, candidate }: ByArm<ObservedManifest>, changes: readonly ManifestField[]): string {
  if (stable.kind !== "read" || candidate.kind !== "read") return "";
  const found = (field: ManifestField) => manifestDifferences(stable.manifest, candidate.manifest, [field]);
  const [rerankers, secrets] = [changes.includes("RERANK_CONF") ? [] : found("RERANK_CONF"), found("secrets_rev")];
  const undeclared =
    rerankers.length === 0 ? "" : `; the rerankers differ (${list(rerankers)}), which spec.changes does not say`;
  return secrets.length === 0 ? undeclared : `${undeclared}; the secrets differ (${list(secrets)})`;
}

/** Fields that are told with their values, because a difference may surprise; see `toldBeside`. */
const TOLD_WITH_VALUES: readonly ManifestField[] = ["RERANK_CONF", "secrets_rev"];

/** Which fields were compared, and which differ as those of another release do: a pass is no word of sameness. */
function passReason(stable: Manifest, candidate: Manifest): string {
  const isOwn = (field: ManifestField) => ![...DECLARED_FIELDS, ...TOLD_WITH_VALUES].includes(field);
  const own = manifestDifferences(stable, candidate).flatMap(({ field }) => (isOwn(field) ? [field] : []));
  const passed = `identity fields (${DECLARED_FIELDS.join(", ")}) agree or are declared`;
  return own.length === 0 ? passed : `${passed}; ${own.join(", ")} differ, as a new release may without declaring it`;
}

function judge(pinned: PinnedManifests, observed: ByArm<ObservedManifest>, changes: readonly ManifestField[]): Verdict {
  const { stable, candidate } = observed;
  // What one arm is known to be counts even while the other does not answer.
  for (const arm of SERVING_ARMS) {
    const answer = observed[arm];
    if (pinned === null || answer.kind === "unreadable") continue;
    const drift = manifestDifferences(pinned[arm], answer.manifest);
    if (drift.length > 0)
      return hardVerdict("fail", `${arm} is no longer the release this rollout began with: ${list(drift)}`);
  }
  if (stable.kind === "unreadable") return unread("stable", stable.reason);
  if (candidate.kind === "unreadable") return unread("candidate", candidate.reason);
  const undeclared = DECLARED_FIELDS.filter((field) => !changes.includes(field));
  const differences = manifestDifferences(stable.manifest, candidate.manifest, undeclared);
  if (differences.length === 0)
    return hardVerdict("pass", `${passReason(stable.manifest, candidate.manifest)}${toldBeside(observed, changes)}`);
  const fields = differences.map(({ field }) => field).join(", ");
  const reason = `the arms differ in ${list(differences)}; list ${fields} under spec.changes if that is intended`;
  return hardVerdict("fail", reason);
}

/**
 * Fails when an arm differs from what was pinned at the start, or when METRIC, ANALYZER or EMBED_SCHEMA differ between
 * the arms and the document's `changes` does not say so. A hard rule: no statistics.
 * @source definitions.md §6 (SL-5, GQ-25, IX-3)
 */
export const parity = defineGate({
  name: NAME,
  reads: "identity",
  counts: "answers",
  says: "Are both arms the releases they were pinned as, and alike in what the document does not list under `changes`?",
  unit: "identity of both arms",
  from: "health answers",
  options: {},
  conditions: {
    index_mismatch: {
      means: "is not the release it was pinned as",
      lookAt: "what its health endpoint states now, and in every region",
    },
  },
  eventField: "retrieval",
  isEntry: true,
  identity: judge,
});
