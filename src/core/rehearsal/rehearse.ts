import { foldEvidence, startEvidence } from "../judge/engine.ts";
import { orderName } from "../process/order.ts";
import type { RolloutEvent } from "../rollout/event.ts";
import type { RolloutOrder } from "../rollout/order.ts";
import { isFinal, newRollout, type Rollout } from "../rollout/rollout.ts";
import { UnitEvidence } from "../by-unit/unit-evidence.ts";
import { classesOf } from "../observe/observe.ts";
import { foldRate, NO_TRAFFIC } from "../pace/traffic-rate.ts";
import { type Cadence, look, turn, type Watched } from "../rollout/wheel.ts";
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

/** A whole verdict is dear; before the hold is over only a fuse can change anything. */
const AFTER_HOLD: Cadence = ({ heldMs, holdMs }) => heldMs >= holdMs;

const NO_ANSWERS: Answers = { parity: [], probes: () => [] };
/** The data plane confirms a share and probes come back within one virtual second. */
const ORDER_MS = 500;
/** A rehearsal has one data plane, which is never late: no document has to be told from the one before it. */
const NO_EPOCH = 0;

/**
 * Carries a plan out in virtual time, second by second, by the same wheel as a real one.
 * @param random the only source of chance: same stream, same rehearsal
 * @param limitS virtual seconds after which an undecided rollout is left as it is
 * @param cadence how often whole verdicts are written; by default as often as one can matter
 */
export function rehearse(
  plan: RolloutPlan,
  world: World | Traffic,
  random: RandomStream,
  limitS: number,
  answers: Answers = NO_ANSWERS,
  cadence: Cadence = AFTER_HOLD,
): Rehearsal {
  const traffic: Traffic =
    typeof world === "function" ? world : (candidateBp, atS, chance) => drawSecond(world, candidateBp, atS, chance);
  const run = new Run(plan, answers, cadence);
  run.take({ kind: "started", at: epochMs(0) });
  for (let atS = 1; atS <= limitS && !isFinal(run.rollout); atS++) run.second(traffic, atS, random);
  return run.outcome();
}

class Run {
  rollout: Rollout;
  #seen: Watched;
  #units = new UnitEvidence();
  #candidateRequests = 0;
  #failedCandidateRequests = 0;
  #firstRequestAtS: number | null = null;
  #reached100AtS: number | null = null;
  readonly #answers: Answers;
  readonly #cadence: Cadence;

  constructor(plan: RolloutPlan, answers: Answers, cadence: Cadence) {
    this.rollout = newRollout(plan);
    this.#seen = { evidence: startEvidence(plan.gates), generation: 0, judgedAfterEpoch: 0 };
    this.#answers = answers;
    this.#cadence = cadence;
  }

  take(event: RolloutEvent): void {
    const { rollout, seen, orders } = turn(this.rollout, this.#seen, event, NO_EPOCH);
    this.rollout = rollout;
    if (seen.generation !== this.#seen.generation) this.#units = new UnitEvidence();
    this.#seen = seen;
    for (const order of orders) this.#finish(order, epochMs(event.at + ORDER_MS));
  }

  #finish(order: RolloutOrder, at: EpochMs): void {
    this.take({ kind: "order-done", at, orderId: order.id, order: orderName(order), verdicts: this.#said(order) });
  }

  #said(order: RolloutOrder): readonly Verdict[] {
    switch (order.port) {
      case "health":
        return this.#answers.parity;
      case "probe":
        return this.#answers.probes(order.args.tier);
      case "traffic":
        return [];
    }
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
    if (block.units !== undefined) this.#units.take(block.units, classesOf(block.arms));
    const rate = foldRate(this.#seen.rate ?? NO_TRAFFIC, block);
    this.#seen = { ...this.#seen, evidence: foldEvidence(this.#seen.evidence, block, plan.gates), rate };
    const judged = look(this.rollout, this.#seen, at, this.#cadence, this.#units);
    if (judged !== null) this.take(judged);
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
