import type { RolloutPlan } from "../stage/plan.ts";
import { parity } from "../judge/identity/parity.ts";
import { isProbeGate } from "../judge/gates.ts";
import { randomStream } from "../stats/random.ts";
import type { Verdict } from "../verdict.ts";
import { type Answers, type Rehearsal, rehearse } from "./rehearse.ts";
import type { Traffic, World } from "./world.ts";

/**
 * A share of runs with its standard error, computed at (hits + 1) / (runs + 2): none of 20 runs is not a promise of
 * none ever.
 */
export interface Rate {
  readonly value: number;
  readonly standardError: number;
}

/** Median and 95th percentile of the runs that have the number; null when none has. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

/** What a policy did over many rehearsals of one scenario. Times in seconds. */
export interface Study {
  readonly runs: number;
  readonly aborted: Rate;
  readonly promoted: Rate;
  /** Neither within the limit: waiting for a person, or still holding. */
  readonly undecided: Rate;
  /** From the candidate's first request to the verdict that stopped it. */
  readonly timeToDecisionS: Spread | null;
  readonly candidateRequestsExposed: Spread | null;
  readonly timeTo100S: Spread | null;
  /** Stops by the gate that caused them. */
  readonly causes: Readonly<Record<string, number>>;
}

function pass(gate: string): Verdict {
  return {
    gate,
    kind: "pass",
    estimate: null,
    interval: null,
    samples: { stable: 0, candidate: 0 },
    threshold: null,
    alpha: null,
    eValue: null,
    reason: "taken for granted in a rehearsal of traffic",
    needs: null,
  };
}

/** A rehearsal has traffic and no answers: identity and probes are taken to pass. */
export function passingAnswers(plan: RolloutPlan): Answers {
  const probes = plan.gates.filter(({ gate }) => isProbeGate(gate)).map(({ gate }) => pass(gate));
  return { parity: [pass(parity.name)], probes: () => probes };
}

/** Nobody has modelled what two arms answer to one request, so a rehearsal begins with the first user. */
function withoutShadow(plan: RolloutPlan): RolloutPlan {
  return { ...plan, stages: plan.stages.filter(({ kind }) => kind !== "shadow") };
}

/**
 * Rehearses a plan `runs` times; run i draws from the stream of seed + i, so a single one can be looked at again.
 * @param limitS virtual seconds after which an undecided run is left
 */
export function studyPolicy(
  plan: RolloutPlan,
  traffic: World | Traffic,
  options: { readonly runs: number; readonly seed: number; readonly limitS: number },
): Study {
  const answers = passingAnswers(plan);
  const rehearsed = withoutShadow(plan);
  const rehearsals = Array.from({ length: options.runs }, (_, index) =>
    rehearse(rehearsed, traffic, randomStream(options.seed + index), options.limitS, answers),
  );
  return summarise(rehearsals);
}

const STOPPED = ["rolled-back", "rolling-back"];

function summarise(rehearsals: readonly Rehearsal[]): Study {
  const runs = rehearsals.length;
  const rate = (matches: (rehearsal: Rehearsal) => boolean): Rate => {
    const hits = rehearsals.filter(matches).length;
    const smoothed = (hits + 1) / (runs + 2);
    return { value: hits / runs, standardError: Math.sqrt((smoothed * (1 - smoothed)) / runs) };
  };
  const isAborted = ({ rollout }: Rehearsal) => STOPPED.includes(rollout.phase);
  const isPromoted = ({ rollout }: Rehearsal) => rollout.phase === "promoted";
  const causes: Record<string, number> = {};
  for (const { rollout } of rehearsals.filter(isAborted)) {
    const gate = rollout.cause?.gate ?? "none";
    causes[gate] = (causes[gate] ?? 0) + 1;
  }
  return {
    runs,
    aborted: rate(isAborted),
    promoted: rate(isPromoted),
    undecided: rate((rehearsal) => !isAborted(rehearsal) && !isPromoted(rehearsal)),
    timeToDecisionS: spreadOf(rehearsals.flatMap(({ decidedAfterS }) => decidedAfterS ?? [])),
    candidateRequestsExposed: spreadOf(rehearsals.map(({ candidateRequests }) => candidateRequests)),
    timeTo100S: spreadOf(rehearsals.flatMap(({ reached100AtS }) => reached100AtS ?? [])),
    causes,
  };
}

function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}
