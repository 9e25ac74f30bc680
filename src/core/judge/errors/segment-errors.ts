import type { HarmedSegment, SegmentView } from "../../by-unit/segment-evidence.ts";
import type { UnitView } from "../../by-unit/unit-evidence.ts";
import { lnSumExp } from "../../stats/special.ts";
import { defineGate, type TrafficPart } from "../definition.ts";
import { ALPHA, BETA, ON_NO_DATA, type OptionsOf } from "../fields.ts";
import { describeSegments, namedSegments } from "./named-segments.ts";
import { trafficVerdict } from "../traffic/traffic-verdict.ts";

const NAME = "segment-errors";

const OPTIONS = {
  alpha: ALPHA,
  beta: {
    ...BETA,
    fallback: 0.02,
    says: "below this probability under chance a segment's failures hold the share until more is known",
  },
  onNoData: ON_NO_DATA,
};
type Options = OptionsOf<typeof OPTIONS>;

interface State {
  readonly requests: { readonly stable: number; readonly candidate: number };
}

const lnSum = (harmed: readonly HarmedSegment[]): number => lnSumExp(harmed.map(({ logE }) => logE));

/** The rates are compared only once the cheap sum, which is never less, is large enough. */
function isHarmProven(segments: SegmentView, alpha: number): boolean {
  const proof = Math.log(1 / alpha);
  return segments.logE >= proof && lnSum(segments.harmed()) >= proof;
}

const traffic: TrafficPart<Options, State> = {
  start: () => ({ requests: { stable: 0, candidate: 0 } }),
  fold: ({ requests }, { arms: { stable, candidate } }) => ({
    requests: { stable: requests.stable + stable.requests, candidate: requests.candidate + candidate.requests },
  }),
  isHarmProven: (_state, { alpha }, units?: UnitView) => units !== undefined && isHarmProven(units.segments, alpha),
  decide({ requests: samples }, { units }, { alpha, beta }) {
    const base = { gate: NAME, samples, threshold: 0, alpha };
    if (units === undefined || units.segments.size === 0) {
      const reason = "no gateway has told segments apart yet";
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "traffic of users through a gateway" });
    }
    const { segments } = units;
    if (!segments.isAnswered) {
      const reason = "the candidate has answered no user of a segment yet";
      return trafficVerdict(base, "no-data", { estimate: null, reason, needs: "requests that the candidate answers" });
    }
    const harmed = segments.harmed();
    const [likeliest] = harmed;
    const logE = lnSum(harmed);
    if (likeliest === undefined || logE < Math.log(1 / beta)) {
      const reason = `none of ${segments.size} segments fails more than chance allows`;
      return trafficVerdict(base, "pass", { estimate: 0, logE: Math.max(0, logE), reason });
    }
    const named = namedSegments(harmed);
    const [worst = likeliest] = named;
    const reason = `${describeSegments(named.length === 0 ? [worst] : named)}, of ${segments.size} segments`;
    const finding = { estimate: worst.difference.estimate, logE, segment: worst.label };
    if (logE >= Math.log(1 / alpha)) {
      return trafficVerdict(base, "fail", { ...finding, reason: `${reason}: more than chance allows` });
    }
    const needs = `more users of ${worst.label}; look at their errors`;
    return trafficVerdict(base, "inconclusive", { ...finding, reason: `${reason}: may be chance`, needs });
  },
};

/**
 * Harm that a few users meet and the others do not: one tenant, one route, one language. Stops when the weighted sum of
 * the segments' e-values reaches 1/alpha among those whose failure rates differ as well; names by e-BH.
 * @source decision-policy.md "Units, not requests", segments
 */
export const segmentErrors = defineGate({
  name: NAME,
  reads: "traffic",
  counts: "units",
  says: "Does one tenant, route or language fail more on the candidate than on stable?",
  unit: "points over stable, in the worst segment",
  from: "gateway, with `segments`",
  options: OPTIONS,
  conditions: {
    segment_errors: {
      means: "fails the requests of some users more than stable, and not of all",
      lookAt: "the errors of the named segment: its data, its route, its settings",
    },
  },
  worst: "failures",
  needs: () => ({ needsSamples: 1, detectable: "about 6 failing users of one segment at 10 %, and none on stable" }),
  traffic,
});
