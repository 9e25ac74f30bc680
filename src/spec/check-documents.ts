import type { Problem } from "../core/problem.ts";
import { nextDocument } from "../core/rollout/routing-document.ts";
import { admit } from "../core/routing/admit.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { BP_ALL, BP_NONE, epochMs } from "../core/unit.ts";
import type { KnownDrivers } from "./known-drivers.ts";
import { planRollout } from "./plan.ts";
import type { RolloutDocument } from "./rollout-schema.ts";
import { type Path, pathText, type Source } from "./source.ts";

/** The documents a rollout publishes, at their largest: everybody on the candidate, the way back, the promotion. */
const ORDERS = [
  { candidateBp: BP_NONE, closed: [], arms: "both", newEpoch: true, shadow: true },
  { candidateBp: BP_ALL, closed: [], arms: "both", newEpoch: true },
  { candidateBp: BP_NONE, closed: ["candidate"], arms: "both", newEpoch: true },
  { candidateBp: BP_NONE, closed: [], arms: "swap", newEpoch: true },
] as const;

/** Stands for a number that only a controller knows, at its longest. */
const LONGEST = { generation: 999_999, store: "x".repeat(32), highestEpoch: 2 ** 50 };
/** Stands for a stable arm that only the service knows. */
const SOME_STABLE = "http://127.0.0.1:1";

/**
 * Asks the data plane's own rules about every document the rollout would publish, so that nothing is accepted that a
 * gateway refuses while users wait. Each problem is told at the place of the file it comes from.
 */
export function checkDocuments(document: RolloutDocument, source: Source, drivers: KnownDrivers): readonly Problem[] {
  const plan = planOf(document, source, drivers);
  const problems = new Map<string, Problem>();
  for (const order of ORDERS) {
    const published = nextDocument(plan, order, null, epochMs(0), LONGEST);
    const admission = admit(published, null, JSON.stringify(published).length);
    if (admission.kind !== "refuse") continue;
    for (const { path, message } of admission.problems) {
      const place = placeOf(path, order.arms === "swap", document);
      const text = pathText(place);
      const told = `no gateway would take it: ${message}`;
      problems.set(`${text} ${message}`, { code: "E127", path: text, at: source.locate(place), message: told });
    }
  }
  return [...problems.values()];
}

function planOf(document: RolloutDocument, source: Source, drivers: KnownDrivers): RolloutPlan {
  const paths = { set: null, map: null, corpus: null };
  const unknown = { file: "", seed: 0, documentDigest: "", goldDigest: "", paths };
  const plan = planRollout(document, source, { ...unknown, generation: LONGEST.generation, drivers });
  const { stable } = plan.arms;
  if (stable.endpoints.length > 0) return plan;
  return { ...plan, arms: { ...plan.arms, stable: { ...stable, endpoints: [SOME_STABLE] } } };
}

/** Where in the file the part of a routing document at `path` was written. */
function placeOf(path: string, isSwapped: boolean, { spec }: RolloutDocument): Path {
  const [head = "", arm, field = ""] = path.replace(/\[\d+\]$/, "").split(".");
  const index = /\[(\d+)\]$/.exec(path)?.[1];
  const at = index === undefined ? [] : [Number(index)];
  if (head === "arms" && (arm === "stable" || arm === "candidate")) {
    const side = isSwapped ? "candidate" : arm === "stable" && spec.stable === "current" ? "startsFrom" : arm;
    return ["spec", side, ARM_KEYS[field] ?? field];
  }
  if (path.startsWith("identity.stickyBy")) return ["spec", "route", "stickyBy", ...at, "header"];
  if (path.startsWith("identity.trustedHeaders")) return ["spec", "route", "trustedHeaders", ...at];
  if (head === "rolloutId" || head === "override") return ["metadata", "name"];
  if (head === "service") return ["spec", "service"];
  if (head === "shadow") return ["spec", "shadow"];
  return ["spec", "route", ROUTE_KEYS[head as keyof RoutingDocument] ?? "allow", ...at];
}

const ARM_KEYS: Readonly<Record<string, string>> = { releaseId: "release", endpoints: "url" };
const ROUTE_KEYS: Readonly<Partial<Record<keyof RoutingDocument, string>>> = {
  drainMs: "drain",
  sticky: "stickyFor",
  lease: "lease",
};
