import type { UnitView } from "../../by-unit/unit-evidence.ts";
import type { Verdict } from "../../verdict.ts";
import { describeErrorClass } from "../../window/error-class.ts";
import type { ErrorClass } from "../../window/window.ts";
import type { TrafficStage } from "../../stage/plan.ts";
import type { Block } from "../block.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { ALPHA, BETA, type OptionsOf } from "../fields.ts";
import { type Assumptions, type Needs, shareOf } from "../needs.ts";
import { FIRST_CALLS } from "./advice.ts";
import { inSegments } from "./named-segments.ts";
import { trafficVerdict } from "../traffic/traffic-verdict.ts";

const NAME = "new-error-class";

const OPTIONS = {
  alpha: {
    ...ALPHA,
    says: "a class seen only on the candidate is new when chance explains it with at most this probability",
  },
  beta: { ...BETA, says: "above this probability such a class is put down to chance; between the two the stage holds" },
};
type Options = OptionsOf<typeof OPTIONS>;

interface SeenClass {
  readonly count: number;
  /** Log of the probability that chance put every one of them on the candidate, were both arms alike. */
  readonly logChance: number;
}

interface State {
  /** Classes stable has shown, before the rollout or during it; such a class is not new. */
  readonly known: readonly ErrorClass[];
  readonly onlyCandidate: Readonly<Record<ErrorClass, SeenClass>>;
  readonly requests: { readonly stable: number; readonly candidate: number };
}

/** The finest share a document can order; a late window of a gateway still at 0 % must not make chance impossible. */
const SHARE_MIN = 0.0001;

/** Chance that one failure lands on the candidate: its share of this block's requests or of units, the larger one. */
function chanceOf({ arms: { stable, candidate }, candidateBp }: Block): number {
  const total = stable.requests + candidate.requests;
  const observed = total === 0 ? 0 : candidate.requests / total;
  return Math.max(observed, candidateBp / 10_000, SHARE_MIN);
}

/** Where users are told apart, each user's first sighting counts, in place of every request's. */
function logChanceOf(name: ErrorClass, { logChance }: SeenClass, units: UnitView | undefined): number {
  const logE = units?.classLogE(name) ?? null;
  return logE === null ? logChance : Math.min(0, -logE);
}

const traffic: TrafficPart<Options, State> = {
  start: (_options, { known }) => ({
    known: [...new Set(known)],
    onlyCandidate: {},
    requests: { stable: 0, candidate: 0 },
  }),

  remember: ({ known }) => ({ known }),

  fold(state, block) {
    const { stable, candidate } = block.arms;
    const known = [...new Set([...state.known, ...Object.keys(stable.classes)])];
    const onlyCandidate: Record<ErrorClass, SeenClass> = {};
    const share = chanceOf(block);
    for (const name of new Set([...Object.keys(state.onlyCandidate), ...Object.keys(candidate.classes)])) {
      if (known.includes(name)) continue;
      const before = state.onlyCandidate[name] ?? { count: 0, logChance: 0 };
      const count = candidate.classes[name] ?? 0;
      onlyCandidate[name] = { count: before.count + count, logChance: before.logChance + count * Math.log(share) };
    }
    const requests = {
      stable: state.requests.stable + stable.requests,
      candidate: state.requests.candidate + candidate.requests,
    };
    return { known, onlyCandidate, requests };
  },

  isHarmProven: ({ onlyCandidate }, { alpha }, units) =>
    Object.entries(onlyCandidate).some(([name, seen]) => logChanceOf(name, seen, units) <= Math.log(alpha)),

  decide(state, { units }, { alpha, beta }): Verdict {
    const base = { gate: NAME, samples: state.requests, threshold: 0, alpha };
    if (state.requests.candidate === 0) {
      const reason = "the candidate has answered no request yet";
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "requests that the candidate answers" });
    }
    const worst = Object.entries(state.onlyCandidate)
      .map(([name, seen]) => [name, { count: seen.count, logChance: logChanceOf(name, seen, units) }] as const)
      .sort(([, a], [, b]) => a.logChance - b.logChance)[0];
    if (worst === undefined) {
      return trafficVerdict(base, "pass", { estimate: 0, reason: "no error class that stable does not have" });
    }
    const [name, { count, logChance }] = worst;
    const finding = { estimate: count, logE: -logChance };
    const times = count === 1 ? "once" : `${count} times`;
    const found = `requests that ${describeErrorClass(name)} (class ${name}) were seen ${times} on the candidate and never on stable`;
    if (logChance <= Math.log(alpha)) {
      const condition = name.includes("|5xx|") ? "new_5xx_class" : "new_error_class";
      return trafficVerdict(base, "fail", { ...finding, condition, ...inSegments(units ?? null, found) });
    }
    if (logChance > Math.log(beta)) {
      return trafficVerdict(base, "pass", { ...finding, reason: `${found}: put down to chance` });
    }
    const missing = Math.ceil((Math.log(alpha) - logChance) / (logChance / count));
    const needs = `${missing} more sightings, or one on stable`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason: `${found}: may be chance`, needs });
  },
};

/** What sightings can be proven new within the hold. */
function needs({ alpha }: Options, stage: TrafficStage, assumed: Assumptions): Needs {
  const sightings = Math.ceil(Math.log(alpha) / Math.log(shareOf(stage)));
  const candidateRequests = (assumed.requestsPerSecond * shareOf(stage) * stage.holdMs) / 1_000;
  const rate = candidateRequests === 0 ? 1 : Math.min(1, sightings / candidateRequests);
  return {
    needsSamples: 1, // Nothing to prove: a class that is not there is not new.
    detectable: `${sightings} sightings: a class on ${(rate * 100).toPrecision(2)} % of the requests`,
  };
}

/**
 * Fails when the candidate shows an error class that stable has not, often enough that chance does not explain it:
 * share^n <= alpha, over all n sightings at the share each was seen. The larger of the share of units and the share of
 * requests counts, which errs towards waiting for one more.
 * @source definitions.md §8, "Error class" (TE-17, GQ-19)
 */
export const newErrorClass = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "events",
  says: "Does the candidate fail in a way that stable never does?",
  unit: "sightings",
  from: "gateway",
  options: OPTIONS,
  conditions: {
    new_error_class: {
      means: "fails in a way stable never does",
      lookAt: `the logs of that error; ${FIRST_CALLS}, a body cut short at memory, concurrency or the size of stream pieces`,
    },
    new_5xx_class: {
      means: "fails in a way stable never does",
      lookAt: `the logs of that status; ${FIRST_CALLS}`,
    },
  },
  worst: "failures",
  needs,
  traffic,
});
