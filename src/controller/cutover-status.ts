import type { Cutover } from "../core/cutover/machine.ts";
import { cutoverMachine, servesNow, stepName } from "../core/cutover/machine.ts";
import { stepsOf } from "../core/cutover/steps.ts";
import { stillOut } from "../core/process/saga.ts";
import type { CutoverStatus } from "../contract/cutovers.ts";

/** What a command ends with: as a rollout that ended so. @source contracts.md, exit codes */
const EXIT_CODES = { done: 0, returned: 10, stuck: 14 } as const;

/** A cutover as everybody is told of it. */
export function cutoverStatus(cutover: Cutover): CutoverStatus {
  const { plan, saga, frozenAt } = cutover;
  return {
    id: plan.rolloutId,
    generation: plan.generation,
    service: plan.service,
    phase: saga.phase,
    serves: servesNow(cutover),
    frozen_since: frozenAt,
    steps: stepsOf(plan).map(({ name, does }, place) => ({ name, does, state: stepState(cutover, place) })),
    cause: saga.cause?.text ?? null,
    still_out: saga.phase === "stuck" ? [...stillOut(saga)] : [],
    exit_code: exitCodeOf(cutover),
    next: nextOf(cutover),
  };
}

/** Null while it runs. One that a person took back ended as he wished. */
function exitCodeOf({ saga }: Cutover): number | null {
  const { phase } = saga;
  if (phase === "returned" && saga.cause?.text.startsWith("aborted by") === true) return 12;
  return phase === "done" || phase === "returned" || phase === "stuck" ? EXIT_CODES[phase] : null;
}

function stepState({ saga }: Cutover, place: number): CutoverStatus["steps"][number]["state"] {
  switch (saga.phase) {
    case "pending":
      return "waiting";
    case "done":
      return "done";
    case "returned":
      return "back";
    case "undoing":
    case "stuck":
      if (place > saga.at) return "back";
      return place === saga.at && saga.phase === "undoing" ? "going-back" : "done";
    default:
      if (place === saga.at) return "in-force";
      return place < saga.at ? "done" : "waiting";
  }
}

function nextOf(cutover: Cutover): string {
  const { plan, saga } = cutover;
  const id = plan.rolloutId;
  const step = stepName(cutover);
  switch (saga.phase) {
    case "done":
      return `nothing: the candidate serves; back again with: sluice rollback ${id}`;
    case "returned":
      return `nothing: stable serves; once more with a changed document: sluice apply FILE`;
    case "stuck":
      return `a person: mend what the cause names, then go on going back with: sluice rollback ${id}`;
    case "holding":
      return `the hold ends, then it is done; back with: sluice rollback ${id}`;
    case "undoing":
      return `${step} is taken back`;
    default:
      return cutoverMachine.isFinal(cutover) || step === null
        ? "it begins"
        : `${step} is read back; back with: sluice abort ${id}`;
  }
}
