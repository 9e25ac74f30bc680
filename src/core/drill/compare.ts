import { type Manifest, type ManifestField, manifestDifferences } from "../release/manifest.ts";
import { unmeasured, type Verdict } from "../verdict.ts";

/** Pins that have to be the same wherever a release stands. @source SE-3, definitions.md §8, "Parity sheet" */
export const PARITY_FIELDS: readonly ManifestField[] = [
  "release_id",
  "secrets_rev",
  "PROMPT_VER",
  "MODEL_VER",
  "RERANK_CONF",
  "EMBED_SCHEMA",
  "SCHEMA_REV",
];
/** What an index is, which no region may have otherwise. @source IX-7, IX-9 */
export const INDEX_FIELDS: readonly ManifestField[] = ["INDEX_HASH", "METRIC", "ANALYZER"];
/** Every field by which answers are made: of those a region that serves others has to have the same. */
export const CONTRACT_FIELDS: readonly ManifestField[] = [...INDEX_FIELDS, ...PARITY_FIELDS];

/** A verdict without interval, e-value or arms: one number, or one fact, against its limit. */
export function verdictOf(
  gate: string,
  kind: Verdict["kind"],
  reason: string,
  numbers: { readonly estimate?: number | null; readonly threshold?: number | null; readonly samples?: number } = {},
): Verdict {
  const { estimate = null, threshold = null, samples = 0 } = numbers;
  return {
    ...unmeasured(gate, "error", reason),
    kind,
    estimate,
    threshold,
    samples: { stable: 0, candidate: samples },
  };
}

/** Whether regions state the same of themselves, field by field. @param stated by region, in the order of the plan */
export function sameContract(
  gate: string,
  stated: readonly { readonly region: string; readonly manifest: Manifest }[],
  fields: readonly ManifestField[],
): Verdict {
  const [first, ...others] = stated;
  if (first === undefined) return unmeasured(gate, "no-data", "no region states anything");
  const found = others.flatMap(({ region, manifest }) =>
    manifestDifferences(first.manifest, manifest, fields).map(({ field, left, right }) => {
      return `${field} is ${left} in ${first.region} and ${right} in ${region}`;
    }),
  );
  const names = stated.map(({ region }) => region).join(" and ");
  if (found.length === 0) return verdictOf(gate, "pass", `${names} state the same: ${fields.join(", ")}`);
  const advice = "rebuild or deploy the one that is behind from the same artefact";
  return verdictOf(gate, "fail", `${found.join("; ")}; ${advice}`, { estimate: found.length, threshold: 0 });
}

/** Whether what waits in a queue is within its limit. @param waiting null where the product cannot say */
export function withinBacklog(gate: string, region: string, waiting: number | null, limit: number): Verdict {
  if (waiting === null) return unmeasured(gate, "no-data", `the queue of ${region} cannot say how many messages wait`);
  const found = `${waiting} messages wait in the queue of ${region}, expected at most ${limit}`;
  const advice = waiting > limit ? "; let its consumers catch up first" : "";
  return verdictOf(gate, waiting > limit ? "fail" : "pass", `${found}${advice}`, {
    estimate: waiting,
    threshold: limit,
    samples: 1,
  });
}
