import { gateLabel } from "../judge/setting.ts";
import type { Note } from "../process/note.ts";
import { shareOf } from "../stage/share.ts";
import type { Bp } from "../unit.ts";
import type { VerdictKind } from "../verdict.ts";
import { lookAtOf } from "./look-at.ts";
import type { RolloutOrder } from "./order.ts";
import { currentStage, isFinal, type Phase, type Rollout } from "./rollout.ts";

/** A gate says something of another kind than before. */
interface VerdictNote {
  readonly type: "verdict";
  readonly rollout: string;
  readonly stage: number;
  readonly gate: string;
  readonly verdict: VerdictKind;
  readonly estimate: number | null;
  readonly threshold: number | null;
  /** The candidate's. */
  readonly samples: number;
  readonly reason: string;
}

interface StageNote {
  readonly type: "stage";
  readonly rollout: string;
  readonly index: number;
  readonly share_bp: Bp;
  readonly kind: string;
}

interface PhaseNote {
  readonly type: "phase";
  readonly rollout: string;
  readonly phase: Phase;
  readonly gate: string | null;
  readonly cause: string | null;
  readonly look_at: string | null;
}

/** What listeners of a rollout are told, in the words of the event stream. */
export type RolloutNote = Note | VerdictNote | StageNote | PhaseNote;

/** What a decision changed that a person would call a change, in order: what caused a step is told before the step. */
export function notesOf(before: Rollout, after: Rollout, orders: readonly RolloutOrder[]): readonly RolloutNote[] {
  const rollout = after.plan.rolloutId;
  const note = (text: string): Note => ({ type: "note", rollout, text });
  const pause = pauseText(before, after);
  return [
    ...verdictNotes(before, after),
    ...stageNotes(before, after, note),
    ...(after.phase === before.phase ? [] : [phaseNote(after)]),
    ...(pause === null ? [] : [note(pause)]),
    ...orders.flatMap((order) => (order.port === "traffic" ? [note(splitText(order.args))] : [])),
  ];
}

function verdictNotes(before: Rollout, after: Rollout): readonly VerdictNote[] {
  if (after.verdicts === before.verdicts) return [];
  const known = new Map(before.verdicts.toReversed().map((verdict) => [gateLabel(verdict), verdict.kind]));
  return after.verdicts.flatMap((verdict) => {
    const gate = gateLabel(verdict);
    const { kind, estimate, threshold, reason, samples } = verdict;
    if (known.get(gate) === kind) return [];
    const where = { rollout: after.plan.rolloutId, stage: before.stageIndex, gate };
    return [{ type: "verdict", ...where, verdict: kind, estimate, threshold, samples: samples.candidate, reason }];
  });
}

function stageNotes(before: Rollout, after: Rollout, note: (text: string) => Note): readonly RolloutNote[] {
  const isNew = after.stageIndex !== before.stageIndex || (before.phase === "pending" && after.phase !== "pending");
  if (!isNew) return [];
  const isChosen = after.choice != null && after.choice.stageIndex === after.stageIndex;
  const stage = currentStage(after);
  const share_bp = shareOf(stage) ?? after.candidateBp;
  const { rolloutId: rollout } = after.plan;
  return [
    ...(isChosen ? [note(after.choice?.text ?? "")] : []),
    { type: "stage", rollout, index: after.stageIndex, share_bp, kind: stage.kind },
  ];
}

function phaseNote({ plan, phase, cause }: Rollout): PhaseNote {
  const why = { gate: cause?.gate ?? null, cause: cause?.text ?? null, look_at: lookAtOf(cause) };
  return { type: "phase", rollout: plan.rolloutId, phase, ...why };
}

function splitText({ shadow, arms, candidateBp }: Extract<RolloutOrder, { port: "traffic" }>["args"]): string {
  if (arms === "swap") return "the candidate becomes stable";
  return shadow === true
    ? "ordered copies for the candidate, and no user"
    : `ordered ${candidateBp / 100} % on the candidate`;
}

/** A pause and its end are no phases; an end that is a way back is told by that. */
function pauseText(before: Rollout, after: Rollout): string | null {
  if (before.paused === after.paused) return null;
  if (after.paused) return "paused: nothing is promoted until resumed; failed gates still take the candidate back";
  return after.phase === "rolling-back" || isFinal(after) ? null : "resumed: the pause is over";
}
