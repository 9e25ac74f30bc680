import type { Verdict } from "../verdict.ts";
import type { ErrorClass } from "../window/window.ts";
import type { Block, TrafficGate } from "./gate.ts";
import type { NewErrorClassOptions } from "./options.ts";
import { trafficVerdict } from "./traffic-verdict.ts";

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

/** Classes stable already showed before the rollout. */
export interface KnownClasses {
  readonly known: readonly ErrorClass[];
}

/** The finest share a document can order; a late window of a gateway still at 0 % must not make chance impossible. */
const SHARE_MIN = 0.0001;

/** Chance that one failure lands on the candidate: its share of this block's requests or of units, the larger one. */
function shareOf({ arms: { stable, candidate }, candidateBp }: Block): number {
  const total = stable.requests + candidate.requests;
  const observed = total === 0 ? 0 : candidate.requests / total;
  return Math.max(observed, candidateBp / 10_000, SHARE_MIN);
}

/**
 * Fails when the candidate shows an error class that stable has not, often enough that chance does not explain it:
 * share^n <= alpha, over all n sightings at the share each was seen. The larger of the share of units and the share of
 * requests counts, which errs towards waiting for one more.
 * @source definitions.md §8, "Error class" (TE-17, GQ-19)
 */
export const newErrorClass: TrafficGate<NewErrorClassOptions, State> & {
  withKnown(state: State, classes: KnownClasses): State;
} = {
  kind: "traffic",
  name: "new-error-class",

  start: () => ({ known: [], onlyCandidate: {}, requests: { stable: 0, candidate: 0 } }),

  withKnown: (state, { known }) => ({ ...state, known: [...new Set([...state.known, ...known])] }),

  fold(state, block) {
    const { stable, candidate } = block.arms;
    const known = [...new Set([...state.known, ...Object.keys(stable.classes)])];
    const onlyCandidate: Record<ErrorClass, SeenClass> = {};
    const share = shareOf(block);
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

  isHarmProven: ({ onlyCandidate }, { alpha }) => {
    return Object.values(onlyCandidate).some(({ logChance }) => logChance <= Math.log(alpha));
  },

  decide(state, _stage, { alpha, beta }): Verdict {
    const base = { gate: "new-error-class", samples: state.requests, threshold: 0, alpha };
    if (state.requests.candidate === 0) {
      const reason = "the candidate has answered no request yet";
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "traffic" });
    }
    const worst = Object.entries(state.onlyCandidate).sort(([, a], [, b]) => a.logChance - b.logChance)[0];
    if (worst === undefined) {
      return trafficVerdict(base, "pass", { estimate: 0, reason: "no error class that stable does not have" });
    }
    const [name, { count, logChance }] = worst;
    const finding = { estimate: count, logE: -logChance };
    const found = `class ${name} seen ${count} times on the candidate and never on stable`;
    if (logChance <= Math.log(alpha)) {
      const condition = name.includes("|5xx|") ? "new_5xx_class" : "new_error_class";
      return trafficVerdict(base, "fail", { ...finding, condition, reason: found });
    }
    if (logChance > Math.log(beta)) {
      return trafficVerdict(base, "pass", { ...finding, reason: `${found}: put down to chance` });
    }
    const missing = Math.ceil((Math.log(alpha) - logChance) / (logChance / count));
    const needs = `${missing} more sightings, or one on stable`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason: `${found}: may be chance`, needs });
  },
};
