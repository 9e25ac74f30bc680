import type { ByArm } from "../../arm.ts";
import { asymptoticHalfWidth } from "../../stats/asymptotic-cs.ts";
import { addCluster, type ClusterSums, NO_CLUSTERS } from "../../stats/clustered-mean.ts";
import type { TrafficStage } from "../../stage/plan.ts";
import type { AmountSignal } from "../../window/signals.ts";
import type { ArmWindow } from "../../window/window.ts";
import type { Block } from "../block.ts";
import { type Advice, defineGate, type Gate, type TrafficPart } from "../definition.ts";
import { boundAt, type ByShare } from "../fields.ts";
import { type Needs, shareOf } from "../needs.ts";
import { isAfterComparing, tallyPlace } from "../traffic/stage-tally.ts";
import {
  type AmountFields,
  amountFields,
  type AmountOptions,
  type AmountState,
  amountVerdict,
  type AmountWords,
  isAmountProven,
  TUNED_FOR,
} from "./amount-verdict.ts";
import { untilTold } from "./signal-fields.ts";

/** An amount of answers that has a gate, and what a person is told of it. */
interface Amount<Name extends string> extends AmountWords {
  readonly gate: Name;
  readonly condition: string;
  readonly unit: string;
  readonly limits: { readonly harmRatio: number; readonly margin: ByShare };
  readonly advice: Advice;
  readonly eventField: string;
}

function withBlock(sums: ClusterSums, signal: AmountSignal, { gauges }: ArmWindow): ClusterSums {
  const told = gauges[signal];
  return told === undefined || told.readings === 0 ? sums : addCluster(sums, told.readings, told.sum);
}

function stageWith(stage: AmountState["stage"], signal: AmountSignal, block: Block): AmountState["stage"] {
  const place = tallyPlace(stage.candidateBp, block);
  if (place === "late" || isAfterComparing(stage.candidateBp, block)) return stage;
  const before: ByArm<ClusterSums> = place === "same" ? stage : { stable: NO_CLUSTERS, candidate: NO_CLUSTERS };
  const { stable, candidate } = block.arms;
  return {
    stable: withBlock(before.stable, signal, stable),
    candidate: withBlock(before.candidate, signal, candidate),
    candidateBp: block.candidateBp,
  };
}

function trafficPart(words: AmountWords): TrafficPart<AmountOptions, AmountState> {
  const { signal } = words;
  return {
    start: () => ({
      told: { stable: false, candidate: false },
      stage: { stable: NO_CLUSTERS, candidate: NO_CLUSTERS, candidateBp: null },
    }),
    fold({ told, stage }, block) {
      const { stable, candidate } = block.arms;
      return {
        told: {
          stable: told.stable || stable.gauges[signal] !== undefined,
          candidate: told.candidate || candidate.gauges[signal] !== undefined,
        },
        stage: stageWith(stage, signal, block),
      };
    },
    isHarmProven: (state, options, units) => options.onHarm === "stop" && isAmountProven(signal, state, options, units),
    decide: (state, stage, options) => amountVerdict(words, state, stage, options),
  };
}

/** What users differ by, as a part of their mean, where nobody knows: tokens and money do by about all of it. */
const USUAL_DEVIATION = 1;
const USERS_MAX = 1_000_000;

/** Users of the candidate that exclude the stage's ratio when it is like stable, each request of its own user. */
function needsOf({ from }: AmountWords, options: AmountOptions, stage: TrafficStage): Needs {
  const share = shareOf(stage);
  const margin = boundAt(options.margin, stage.candidateBp);
  const deviation = USUAL_DEVIATION * Math.sqrt(1 + Math.min(1, share / (1 - share)));
  const isEnough = (users: number) =>
    asymptoticHalfWidth(users, deviation, Math.min(0.4, options.beta), TUNED_FOR, "one-sided") <= Math.log(margin);
  let users = options.minUsers;
  while (users < USERS_MAX && !isEnough(users)) users = Math.ceil(users * 1.05);
  const does = options.onHarm === "stop" ? "stops" : "holds and asks";
  const detectable = untilTold(
    from,
    `${does} beyond ${options.harmRatio}x, wants ${margin}x excluded`,
    options.onNoData,
  );
  return { needsSamples: users < USERS_MAX ? users : null, detectable };
}

/**
 * What an answer costs, candidate over stable: means over users, so that one who asks for long answers all day is one
 * user, with an interval that holds at every look. It holds and asks unless the document says `onHarm: stop`.
 * @source statistics.md (d); requirements.md
 */
export function amountGate<const Name extends string>(amount: Amount<Name>): Gate<Name, AmountFields> {
  const { gate, condition, signal, what, unit, from, limits, advice, eventField } = amount;
  return defineGate({
    name: gate,
    reads: "traffic",
    counts: "requests",
    says: `Is the mean over users of ${what} higher than on stable? Harm holds and asks.`,
    unit,
    from,
    options: amountFields(limits),
    conditions: { [condition]: advice },
    mayStop: ({ onHarm }) => onHarm === "stop",
    eventField,
    signal,
    needs: (options, stage) => needsOf(amount, options, stage),
    traffic: trafficPart(amount),
  });
}
