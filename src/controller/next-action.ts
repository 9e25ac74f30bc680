import { currentStage, heldMs, type Rollout } from "../core/rollout/rollout.ts";
import type { Stage } from "../core/stage/plan.ts";
import { holdMsOf, shareOf } from "../core/stage/share.ts";
import type { EpochMs } from "../core/unit.ts";
import { type DocumentInForce, isSuperseded } from "./precedence.ts";

/** What a stage is called where people read: `10%`, `probes`, `shadow`, `100%`. */
export function stageName(stage: Stage): string {
  if (stage.kind === "shadow") return "shadow";
  const share = shareOf(stage);
  return share === null ? "probes" : `${share / 100}%`;
}

/** Data planes of a service as a status needs them; null where nobody asked. */
export interface PlanesHeard {
  /** Data planes that spoke within the last seconds. */
  readonly live: number;
  /** Since the last word of any of them; null when none ever spoke to this controller. */
  readonly silentMs: number | null;
  /** Those that look at no signature. */
  readonly unsigned?: readonly string[];
}

function silence({ plan: { service } }: Rollout, { silentMs }: PlanesHeard): string {
  const since = silentMs === null ? "since the controller started" : `for ${Math.round(silentMs / 1_000)} s`;
  return `no gateway of ${service} was heard ${since}`;
}

/** Without a gateway no request is measured, and what was measured before says nothing about now. */
function unheard(rollout: Rollout, planes: PlanesHeard): string {
  return `${silence(rollout, planes)}, so nothing is measured; start one with: sluice gateway FILE`;
}

/** An ended rollout does nothing by itself: the command that works now, and whether anybody serves its end. */
function afterTheEnd(rollout: Rollout, planes: PlanesHeard | null, document: DocumentInForce): string {
  const { rolloutId, service } = rollout.plan;
  const isDeaf = planes?.live === 0;
  const heard = isDeaf ? `; ${silence(rollout, planes)}, so nothing is known to serve users now` : "";
  const start = isDeaf ? "; start one with: sluice gateway FILE" : "";
  if (rollout.phase !== "promoted")
    return `nothing by itself: mend it and apply it under a new name, or try it again: sluice retry ${rolloutId}${heard}${start}`;
  const end = isSuperseded(rollout, document)
    ? `nothing: ${document.rolloutId ?? "an operator"} decides over ${service} since; see: sluice service ${service}`
    : `nothing by itself: to take it back: sluice rollback ${rolloutId}`;
  return `${end}${heard}${start}`;
}

/** What happens next and what it waits for, as one sentence. */
export function nextAction(
  rollout: Rollout,
  at: EpochMs,
  planes: PlanesHeard | null = null,
  document: DocumentInForce = null,
): string {
  const stage = currentStage(rollout);
  const waitsFor = rollout.verdicts.find(({ kind }) => kind !== "pass");
  switch (rollout.phase) {
    case "pending":
    case "checking":
      return "compares the identity of both arms, then begins the first stage";
    case "probing":
      return "asks the gold questions of both arms";
    case "waiting":
      return `waits for a person: ${rollout.cause?.text ?? "paused"}; promote --despite, resume or abort`;
    case "progressing": {
      if (rollout.paused) return "paused: fuses still act; resume to go on";
      if (planes?.live === 0) return unheard(rollout, planes);
      if (rollout.holdingSince === null) return `sets ${stageName(stage)} and reads it back`;
      const restS = Math.ceil((holdMsOf(stage) - heldMs(rollout, at)) / 1_000);
      if (restS > 0) return `holds ${stageName(stage)} for ${restS} s more`;
      if (stage.kind === "watch") return "goes on as soon as a gateway tells of an answer at 100 %";
      return waitsFor === undefined
        ? "goes on"
        : `holds until proven: ${waitsFor.reason}; needs ${waitsFor.needs ?? "time"}`;
    }
    case "promoting":
      return "makes the candidate the stable release";
    case "retreating":
      return `goes back to ${stageName(stage)} for a second try`;
    case "rolling-back":
      return "sends all traffic back to stable";
    case "rollback-failed":
      return "the rollback was not confirmed: look at the gateways, then roll back again";
    default:
      return afterTheEnd(rollout, planes, document);
  }
}
