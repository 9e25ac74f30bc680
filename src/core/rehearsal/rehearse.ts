import {
  type Evidence,
  foldEvidence,
  isHarmProven,
  judgeTraffic,
  restartEvidence,
  startEvidence,
} from "../gate/gate-set.ts";
import type { StageView } from "../gate/gate.ts";
import type { Effect } from "../rollout/effect.ts";
import type { RolloutEvent } from "../rollout/event.ts";
import { currentStage, heldMs, isFinal, newRollout, type Rollout } from "../rollout/rollout.ts";
import { step } from "../rollout/step.ts";
import type { RolloutPlan } from "../stage/plan.ts";
import type { RandomStream } from "../stats/random.ts";
import { BP_ALL, type EpochMs, epochMs } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import { drawSecond, type Traffic, type World } from "./world.ts";

/** What a rehearsed rollout meets besides traffic. */
export interface Answers {
  readonly parity: readonly Verdict[];
  readonly probes: (tier: "smoke" | "full") => readonly Verdict[];
}

/** A rehearsed rollout. Times in seconds from its start. */
export interface Rehearsal {
  readonly rollout: Rollout;
  readonly endedAtS: number | null;
  /** From the candidate's first request to the verdict; null when no gate decided. */
  readonly decidedAfterS: number | null;
  /** When every user was on the candidate; null when that never came. */
  readonly reached100AtS: number | null;
  readonly candidateRequests: number;
  readonly failedCandidateRequests: number;
}

const NO_ANSWERS: Answers = { parity: [], probes: () => [] };
/** The data plane confirms a share and probes come back within one virtual second. */
const EFFECT_MS = 500;

/**
 * Carries a plan out in virtual time, second by second, with the same reducer and gates as a real one.
 * @param random the only source of chance: same stream, same rehearsal
 * @param limitS virtual seconds after which an undecided rollout is left as it is
 */
export function rehearse(
  plan: RolloutPlan,
  world: World | Traffic,
  random: RandomStream,
  limitS: number,
  answers: Answers = NO_ANSWERS,
): Rehearsal {
  const traffic: Traffic =
    typeof world === "function" ? world : (candidateBp, atS, chance) => drawSecond(world, candidateBp, atS, chance);
  const run = new Run(plan, answers);
  run.take({ kind: "started", at: epochMs(0) });
  for (let atS = 1; atS <= limitS && !isFinal(run.rollout); atS++) run.second(traffic, atS, random);
  return run.outcome();
}

class Run {
  rollout: Rollout;
  #evidence: Evidence;
  #evidenceGeneration = 0;
  #candidateRequests = 0;
  #failedCandidateRequests = 0;
  #firstRequestAtS: number | null = null;
  #reached100AtS: number | null = null;
  readonly #answers: Answers;

  constructor(plan: RolloutPlan, answers: Answers) {
    this.rollout = newRollout(plan);
    this.#evidence = startEvidence(plan.gates);
    this.#answers = answers;
  }

  take(event: RolloutEvent): void {
    const { state, effects } = step(this.rollout, event);
    this.rollout = state;
    if (state.evidenceGeneration !== this.#evidenceGeneration) {
      this.#evidenceGeneration = state.evidenceGeneration;
      this.#evidence = restartEvidence(this.#evidence, state.plan.gates);
    }
    for (const effect of effects) this.#finish(effect, epochMs(event.at + EFFECT_MS));
  }

  #finish(effect: Effect, at: EpochMs): void {
    const verdicts =
      effect.kind === "check-parity"
        ? this.#answers.parity
        : effect.kind === "run-probes"
          ? this.#answers.probes(effect.tier)
          : [];
    this.take({ kind: "effect-succeeded", at, effectId: effect.id, verdicts });
  }

  second(traffic: Traffic, atS: number, random: RandomStream): void {
    const at = epochMs(atS * 1_000);
    const { plan, candidateBp } = this.rollout;
    const block = traffic(candidateBp, atS, random);
    if (candidateBp === BP_ALL) this.#reached100AtS ??= atS;
    const { requests, failures } = block.arms.candidate;
    this.#candidateRequests += requests;
    this.#failedCandidateRequests += failures;
    if (requests > 0) this.#firstRequestAtS ??= atS - 1;
    this.#evidence = foldEvidence(this.#evidence, block, plan.gates);
    const stage = this.#view(at);
    // A whole verdict is dear; before the hold is over only a fuse can change anything.
    if (stage.heldMs < stage.holdMs && !isHarmProven(this.#evidence, stage, plan.gates)) return;
    const verdicts = judgeTraffic(this.#evidence, stage, plan.gates);
    this.take({ kind: "judged", at, stageIndex: this.rollout.stageIndex, verdicts });
  }

  #view(at: EpochMs): StageView {
    const stage = currentStage(this.rollout);
    const { candidateBp } = this.rollout;
    return {
      kind: stage.kind,
      candidateBp,
      heldMs: heldMs(this.rollout, at),
      holdMs: stage.kind === "probes" ? 0 : stage.holdMs,
    };
  }

  outcome(): Rehearsal {
    const { rollout } = this;
    const decidedAtS = rollout.cause?.gate == null ? null : rollout.cause.at / 1_000;
    const isDecided = decidedAtS !== null && this.#firstRequestAtS !== null;
    return {
      rollout,
      endedAtS: rollout.endedAt === null ? null : rollout.endedAt / 1_000,
      decidedAfterS: isDecided ? decidedAtS - (this.#firstRequestAtS ?? 0) : null,
      reached100AtS: this.#reached100AtS,
      candidateRequests: this.#candidateRequests,
      failedCandidateRequests: this.#failedCandidateRequests,
    };
  }
}
