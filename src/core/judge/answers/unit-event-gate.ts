import type { TrafficStage } from "../../stage/plan.ts";
import { foldBernoulli, startBernoulliEProcess } from "../../stats/bernoulli-e-process.ts";
import type { ArmCount } from "../../stats/count-block.ts";
import { requestsAtRates } from "../../stats/difference.ts";
import { foldExcess, startExcess } from "../../stats/excess-e-process.ts";
import { isFeedback, type UnitEventSignal } from "../../window/signals.ts";
import type { ArmWindow } from "../../window/window.ts";
import { type Advice, defineGate, type Gate, type TrafficPart } from "../definition.ts";
import { boundAt } from "../fields.ts";
import { type Needs, shareOf } from "../needs.ts";
import { NO_STAGE_COUNTS, talliedAt } from "../traffic/stage-tally.ts";
import { untilTold } from "./signal-fields.ts";
import {
  isUnitEventProven,
  UNIT_EVENT_OPTIONS,
  type UnitEventOptions,
  type UnitEventState,
  unitEventVerdict,
  type UnitEventWords,
} from "./unit-event-verdict.ts";

/** Something that happens to some answers, and what a person is told of it. */
interface UnitEvent<Name extends string> extends UnitEventWords {
  readonly gate: Name;
  readonly condition: string;
  readonly advice: Advice;
  /** The field of a recorded event that tells of it. */
  readonly eventField: string;
}

/** What is usual before anything was seen: costs power when wrong, never validity. */
const PRIOR = { rate: 0.02, weight: 100 };

/** Of feedback each request is a chance, of everything else each answer that was told of. */
function countOf(signal: UnitEventSignal, { gauges, requests }: ArmWindow): ArmCount {
  const { sum = 0, readings = 0 } = gauges[signal] ?? {};
  const total = isFeedback(signal) ? requests : readings;
  return { failures: Math.min(total, Math.round(sum)), total };
}

function trafficPart(event: UnitEventWords): TrafficPart<UnitEventOptions, UnitEventState> {
  const { signal } = event;
  return {
    start: ({ margin }) => {
      const margins = [...new Set([margin.under10, margin.under50, margin.from50])].sort((a, b) => a - b);
      return {
        told: { stable: false, candidate: false },
        stage: NO_STAGE_COUNTS,
        harm: startBernoulliEProcess({ prior: PRIOR }),
        proof: startExcess({ margins, prior: PRIOR }),
      };
    },
    fold(state, block) {
      const { stable, candidate } = block.arms;
      const told = {
        stable: state.told.stable || stable.gauges[signal] !== undefined,
        candidate: state.told.candidate || candidate.gauges[signal] !== undefined,
      };
      const counts = { stable: countOf(signal, stable), candidate: countOf(signal, candidate) };
      if (counts.stable.total + counts.candidate.total === 0) return { ...state, told };
      return {
        told,
        stage: talliedAt(state.stage, block, counts),
        harm: foldBernoulli(state.harm, counts),
        proof: foldExcess(state.proof, counts),
      };
    },
    isHarmProven: (state, options, units) =>
      options.onHarm === "stop" && isUnitEventProven(signal, state, options, units),
    decide: (state, stage, options) => unitEventVerdict(event, state, stage, options),
  };
}

function needsOf({ from }: UnitEventWords, options: UnitEventOptions, stage: TrafficStage): Needs {
  const none = { failures: 0, total: 0 };
  const margin = boundAt(options.margin, stage.candidateBp);
  const rates = { stable: PRIOR.rate, candidate: PRIOR.rate };
  const goal = { margin, beta: options.beta, candidateShare: shareOf(stage) };
  const needed = requestsAtRates({ stable: none, candidate: none }, rates, goal);
  const does = options.onHarm === "stop" ? "stops" : "holds and asks";
  const detectable = untilTold(from, `${does} beyond chance, wants +${margin * 100} points excluded`, options.onNoData);
  return { needsSamples: needed === null ? null : Math.max(needed, options.minSamples), detectable };
}

/**
 * A bad event of answers that is no failure. Harm is tested as for failures: each unit once, by the arm its first event
 * fell on, while the rates over units differ as well; what proves safety is an excess over stable that is excluded. It
 * holds and asks unless the document says `onHarm: stop`.
 * @source decision-policy.md "Units, not requests"; requirements.md X-11
 */
export function unitEventGate<const Name extends string>(
  event: UnitEvent<Name>,
): Gate<Name, typeof UNIT_EVENT_OPTIONS> {
  const { gate, condition, signal, what, from, advice, eventField } = event;
  return defineGate({
    name: gate,
    reads: "traffic",
    counts: "requests",
    says: `Do more of the candidate's users meet ${what} than of stable's? Harm holds and asks.`,
    unit: "points over stable",
    from,
    options: UNIT_EVENT_OPTIONS,
    conditions: { [condition]: advice },
    mayStop: ({ onHarm }) => onHarm === "stop",
    eventField,
    signal,
    needs: (options, stage) => needsOf(event, options, stage),
    traffic: trafficPart(event),
  });
}
