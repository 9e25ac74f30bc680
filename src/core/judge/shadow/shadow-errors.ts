import { lnEventsOnCandidate } from "../../stats/count-e-process.ts";
import { pairedMargin, type PairedFailures, pairsToMargin } from "../../stats/paired-margin.ts";
import type { Verdict } from "../../verdict.ts";
import { countPairs, NO_PAIRS, type PairCounts, type ShadowWindow } from "../../window/shadow-window.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { ALPHA, BETA, minSamples, number, type OptionsOf, SHARE } from "../fields.ts";
import { percent, trafficVerdict, type VerdictBase } from "../traffic/traffic-verdict.ts";

const NAME = "shadow-errors";

const OPTIONS = {
  alpha: ALPHA,
  beta: BETA,
  margin: number(SHARE, {
    says: "the part of the copied requests that may fail on the candidate alone, beyond those that fail on stable alone; more must be excluded before the first user",
    fallback: 0.02,
    stricter: "lower",
  }),
  minSamples: minSamples("the least pairs before the first user", 100),
};

type Options = OptionsOf<typeof OPTIONS>;

interface State {
  readonly pairs: PairCounts;
  /** Of the pairs in which nobody failed, those with two statuses: who refuses a copy has not shown that it works. */
  readonly otherStatus: number;
  /** Failures of one arm alone, once for each unit or request: what repeats is one piece of evidence. */
  readonly first: ShadowWindow["first"];
}

/** Under "the release makes no difference" a pair in which one arm alone failed is a fair coin. */
const FAIR = 0.5;

function lnHarm({ first: { candidateFailed, stableFailed } }: State): number {
  return lnEventsOnCandidate({ events: candidateFailed + stableFailed, onCandidate: candidateFailed }, FAIR);
}

function failuresOf({ pairs, otherStatus }: State): PairedFailures {
  const { candidateFailed: candidateOnly, stableFailed: stableOnly } = pairs;
  return { candidateOnly, stableOnly, pairs: countPairs(pairs) - otherStatus };
}

const TRAFFIC: TrafficPart<Options, State> = {
  start: () => ({ pairs: NO_PAIRS, otherStatus: 0, first: { stableFailed: 0, candidateFailed: 0 } }),
  fold({ pairs, otherStatus, first }, { shadow }): State {
    if (shadow === undefined) return { pairs, otherStatus, first };
    return {
      otherStatus: otherStatus + shadow.otherStatus,
      pairs: {
        bothOk: pairs.bothOk + shadow.pairs.bothOk,
        stableFailed: pairs.stableFailed + shadow.pairs.stableFailed,
        candidateFailed: pairs.candidateFailed + shadow.pairs.candidateFailed,
        bothFailed: pairs.bothFailed + shadow.pairs.bothFailed,
      },
      first: {
        stableFailed: first.stableFailed + shadow.first.stableFailed,
        candidateFailed: first.candidateFailed + shadow.first.candidateFailed,
      },
    };
  },
  isHarmProven: (state, { alpha }) => lnHarm(state) >= Math.log(1 / alpha),
  decide(state, _stage, options): Verdict {
    const failures = failuresOf(state);
    const { candidateOnly, stableOnly, pairs } = failures;
    const { margin, alpha, beta } = options;
    const base = { gate: NAME, samples: { stable: pairs, candidate: pairs }, threshold: margin, alpha };
    if (pairs === 0) return noPairs(base, state.otherStatus);
    const logE = lnHarm(state);
    const estimate = (candidateOnly - stableOnly) / pairs;
    const left = state.otherStatus === 0 ? "" : ` (${state.otherStatus} more had another status and do not count)`;
    const found = `of ${pairs} copied requests${left} ${candidateOnly} failed on the candidate alone and ${stableOnly} on stable alone`;
    if (logE >= Math.log(1 / alpha)) {
      return trafficVerdict(base, "fail", { estimate, logE, reason: `${found}: more than chance allows` });
    }
    const excluded = pairedMargin(failures, beta);
    const isExcluded = excluded !== null && excluded <= margin;
    const missing = options.minSamples - pairs;
    if (isExcluded && missing <= 0 && estimate <= margin) {
      const reason = `${found}: more than +${percent(margin)} is excluded`;
      return trafficVerdict(base, "pass", { estimate, logE, reason });
    }
    const known = excluded === null ? "nothing is excluded yet" : `only more than +${percent(excluded)} is excluded`;
    const more = isExcluded ? missing : pairsToMargin(failures, margin, beta);
    const needs = more === null ? "fewer failures of the candidate" : `about ${Math.max(more, missing)} more pairs`;
    return trafficVerdict(base, "inconclusive", { estimate, logE, reason: `${found}: ${known}`, needs });
  },
};

function noPairs(base: VerdictBase, otherStatus: number): Verdict {
  const [reason, needs] =
    otherStatus === 0
      ? ["no request was copied and answered by both arms yet", "requests that may be copied"]
      : [
          `all of ${otherStatus} copies were answered with another status than stable's, which shows nothing`,
          "copies that the candidate takes: name the headers it needs under shadow.headers",
        ];
  return trafficVerdict(base, "no-data", { estimate: null, reason, needs });
}

/**
 * Failures of the candidate on copies of requests that stable answers, before it has a user. One request, both arms: a
 * pair in which both fail, or neither, says nothing of the release, and one in which the candidate alone fails speaks
 * against it as a coin that falls on one side does. Proof that harm beyond the margin is excluded counts all pairs.
 * @source statistics.md (f): (a) on discordant pairs with θ0 = 1/2; decision-policy.md "Margins", under 10 %
 */
export const shadowErrors = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "pairs",
  says: "Do copies of requests fail on the candidate where stable answers?",
  unit: "points over stable, of the same requests",
  from: "gateway, with `shadow`",
  options: OPTIONS,
  conditions: {
    shadow_errors: {
      means: "fails on copies of requests that stable answers",
      lookAt: "the candidate's own log for the failing class; a service that needs what a copy leaves out fails too",
    },
  },
  traffic: TRAFFIC,
});
