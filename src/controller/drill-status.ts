import type { DrillStatus } from "../contract/drills.ts";
import {
  type Drill,
  type DrillPhase,
  drillMachine,
  drillStepName,
  missingApprovals,
  phaseOf,
} from "../core/drill/machine.ts";
import { stepsHome, stepsOut } from "../core/drill/steps.ts";
import type { Saga } from "../core/process/saga.ts";
import type { Regions } from "../core/routing/regions.ts";

/** Codes of contracts.md: 10 checks did not pass, 11 a person has to decide, 12 a person ended it, 14 stuck. */
function exitCodeOf(drill: Drill): number | null {
  const phase = phaseOf(drill);
  if (!drillMachine.isFinal(drill)) return null;
  if (phase === "succeeded") return 0;
  if (phase === "stuck") return 14;
  if (phase === "away") return 11;
  return drill.cause?.text.startsWith("aborted by") ? 12 : 10;
}

/** A drill as the API tells it. @param now what data planes were told, and which region acts, beside the state */
export function drillStatus(
  drill: Drill,
  now: { readonly regions: Regions | null; readonly writesIn: string | null },
): DrillStatus {
  const { plan, out, home, consent, decidedAt, evacuatedAt, cause, hasIncident } = drill;
  const phase = phaseOf(drill);
  const wayOf = (saga: Saga | null, steps: ReturnType<typeof stepsOut>, way: "out" | "home") =>
    steps.map(({ name, does }, place) => ({ name, does, way, state: stateOf(saga, place) }));
  return {
    id: plan.drillId,
    generation: plan.generation,
    service: plan.service,
    phase,
    evacuate: plan.evacuate,
    survivor: plan.survivor,
    own_share_bp: now.regions?.find(({ name }) => name === plan.evacuate)?.ownBp ?? null,
    writes_in: now.writesIn,
    asked_by: consent.by,
    approved_by: [...consent.approvedBy],
    approvals_missing: missingApprovals(drill),
    not_before: consent.notBefore,
    decided_at: decidedAt,
    evacuated_at: evacuatedAt,
    steps: [...wayOf(out, stepsOut(plan), "out"), ...wayOf(home, stepsHome(plan, hasIncident), "home")],
    cause: cause?.text ?? null,
    exit_code: exitCodeOf(drill),
    next: nextOf(drill, phase),
  };
}

function stateOf(saga: Saga | null, place: number): DrillStatus["steps"][number]["state"] {
  if (saga === null || saga.phase === "pending") return "waiting";
  if (saga.phase === "done") return "done";
  if (saga.phase === "returned") return "back";
  const isBack = saga.phase === "undoing" || saga.phase === "stuck";
  if (place > saga.at) return isBack ? "back" : "waiting";
  if (place < saga.at) return "done";
  return saga.phase === "undoing" ? "going-back" : saga.phase === "stuck" ? "done" : "in-force";
}

function nextOf(drill: Drill, phase: DrillPhase): string {
  const { drillId: id, evacuate, survivor } = drill.plan;
  const step = drillStepName(drill);
  switch (phase) {
    case "pending": {
      const missing = missingApprovals(drill);
      return missing > 0 ? `${missing} more say yes: sluice drill approve ${id}` : "it begins as soon as it may";
    }
    case "succeeded":
      return `nothing: ${evacuate} serves and writes again; the evidence: sluice drill report ${id}`;
    case "returned":
    case "aborted":
      return `nothing: ${evacuate} serves its users; the evidence: sluice drill report ${id}`;
    case "away":
      return `a person: ${survivor} serves; mend ${evacuate}, then sluice drill home ${id}`;
    case "stuck":
      return `a person: mend what the cause names, then sluice drill abort ${id}`;
    default:
      return `${step ?? "the next step"} is read back; end it with: sluice drill abort ${id}`;
  }
}
