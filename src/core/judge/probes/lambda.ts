import type { ArmReport, ProbeReport } from "../../measure/report.ts";
import type { Verdict } from "../../verdict.ts";
import type { StageView } from "../block.ts";
import { defineGate } from "../definition.ts";
import { boundAt, byShare, choice, MODE, number, numberOrNone, type OptionsOf, SHARE } from "../fields.ts";
import { probeVerdict, ROUNDING, undecidable } from "./probe-verdict.ts";

const NAME = "lambda";
const ONE_QUESTION = "lambda_flip";
const FEWER_CONVERGE = "convergent_share";

const OPTIONS = {
  mode: MODE,
  level: choice(["paired", "strict", "loose"], {
    says: "what a convergent set is: no worse than stable (`paired`), or at an absolute level as well",
    fallback: "paired",
    stricter: ["paired", "loose", "strict"],
  }),
  margin: byShare(SHARE, {
    says: "the rise of the flip rate and the fall of the convergent share that must be excluded before promotion",
    fallback: { under10: 0.1, under50: 0.05, from50: 0.05 },
    stricter: "lower",
  }),
  increaseStop: number(SHARE, {
    says: "the rise of the flip rate that stops when proven",
    fallback: 0.05,
    stricter: "lower",
  }),
  flipRateStop: number(SHARE, {
    says: "the flip rate that stops, when stable's is lower",
    fallback: 0.2,
    stricter: "lower",
  }),
  maxFlipsPerQuestion: numberOrNone(
    { kind: "number", least: 0, most: 3, isWhole: true },
    {
      says: "the flipped phrasings one question may have, read literally; null: no rule for one question",
      fallback: null,
      stricter: "lower",
    },
  ),
};

/** How λ is read. */
type LambdaOptions = OptionsOf<typeof OPTIONS>;

const shown = (value: number) => value.toFixed(2);

/** Absolute levels of a convergent set. @source definitions.md §5 */
const LEVELS = {
  strict: { convergent: 0.95, recursive: 1 },
  loose: { convergent: 0.8, recursive: 0.1 },
} as const;

function harm(report: ProbeReport, options: LambdaOptions): Verdict | null {
  const { stable, candidate } = report.arms;
  const { flipRate } = candidate.lambda;
  if (flipRate > options.flipRateStop && (stable === null || stable.lambda.flipRate <= options.flipRateStop)) {
    const reason = `${shown(flipRate)} of the phrasings flip, over ${options.flipRateStop}`;
    return probeVerdict(report, NAME, "fail", { estimate: flipRate, threshold: options.flipRateStop, reason });
  }
  if (report.paired === null) return null;
  const { flipRate: flips, convergentShare: convergent } = report.paired;
  if (flips.ci[0] > options.increaseStop) {
    const reason = `the flip rate rose by ${shown(flips.estimate)} (${shown(flips.ci[0])}..${shown(flips.ci[1])}): a rise beyond ${options.increaseStop} is proven`;
    const finding = { estimate: flips.estimate, threshold: options.increaseStop, interval: flips.ci, reason };
    return probeVerdict(report, NAME, "fail", finding);
  }
  if (convergent.ci[1] < -options.increaseStop) {
    const [least, most] = [shown(-convergent.ci[1]), shown(-convergent.ci[0])];
    const reason = `the share of convergent questions fell by ${shown(-convergent.estimate)} (${least}..${most}): a fall beyond ${options.increaseStop} is proven`;
    const finding = {
      estimate: convergent.estimate,
      threshold: -options.increaseStop,
      interval: convergent.ci,
      reason,
    };
    return probeVerdict(report, NAME, "fail", { ...finding, condition: FEWER_CONVERGE });
  }
  return null;
}

/** What keeps an arm from the absolute level, or null when it meets it. */
function belowLevel({ lambda }: ArmReport, level: LambdaOptions["level"]): string | null {
  if (level === "paired") return null;
  const { convergent, recursive } = LEVELS[level];
  const questions = Object.values(lambda.states).reduce((sum, count) => sum + count, 0);
  if (lambda.convergentShare < convergent)
    return `${shown(lambda.convergentShare)} of the questions converge, ${convergent} is wanted`;
  if (lambda.states["<>"] > recursive * questions)
    return `${lambda.states["<>"]} of ${questions} questions are recursive`;
  return lambda.states["×"] > 0 ? `${lambda.states["×"]} questions are chaotic` : null;
}

/** Why there is no state to judge, as a verdict: the report decides nothing, or no question has the runs of a state. */
function unheard(report: ProbeReport): Verdict | null {
  const { states } = report.arms.candidate.lambda;
  const known = Object.entries(states).some(([state, questions]) => state !== "unknown" && questions > 0);
  const reason = "no question of the candidate has the 4 valid runs that a state needs";
  const none = { estimate: null, threshold: null, reason, needs: "more phrasings or repetitions" };
  return undecidable(report, NAME) ?? (known ? null : probeVerdict(report, NAME, "no-data", none));
}

/** Repetitions from which a flip counts as confirmed: the first run of a stage has fewer, the second one more. */
const CONFIRMED_REPEATS = 4;

/** How much smaller the convergent share is than stable's, on all questions or on those of both; 0 without stable. */
function literalFall({ arms: { stable, candidate }, paired }: ProbeReport): number {
  if (stable === null) return 0;
  const fall = stable.lambda.convergentShare - candidate.lambda.convergentShare;
  return Math.max(fall, -(paired?.convergentShare.estimate ?? 0));
}

/**
 * The page's reading: rates as they are, and neither more flips than stable nor a convergent share that fell beyond the
 * margin; one question that flips too often stops once it was asked again (GQ-11, GQ-12, GQ-13).
 */
function decideLiteral(report: ProbeReport, stage: StageView, options: LambdaOptions): Verdict {
  const { stable, candidate } = report.arms;
  const { flipRate, convergentShare, maxFlipsPerQuestion: flips } = candidate.lambda;
  const found = `${shown(convergentShare)} of the questions converge, ${shown(flipRate)} of the phrasings flip, at most ${flips} of one question`;
  const finding = { estimate: flipRate, threshold: options.flipRateStop, reason: found };
  if (flipRate > options.flipRateStop) return probeVerdict(report, NAME, "fail", finding);
  const limit = options.maxFlipsPerQuestion;
  if (limit !== null && flips > limit) {
    const question = { estimate: flips, threshold: limit, condition: ONE_QUESTION, reason: found };
    if (report.repeats >= CONFIRMED_REPEATS) return probeVerdict(report, NAME, "fail", question);
    return probeVerdict(report, NAME, "inconclusive", { ...question, needs: "the question asked again" });
  }
  const blocked = unheard(report);
  if (blocked !== null) return blocked;
  const missed = belowLevel(candidate, options.level);
  const isIncreased = stable !== null && flipRate > stable.lambda.flipRate;
  const [fall, margin] = [literalFall(report), boundAt(options.margin, stage.candidateBp)];
  const changed = isIncreased
    ? `${found}; stable flips less, ${shown(stable.lambda.flipRate)}`
    : fall > margin + ROUNDING
      ? `${found}; ${shown(fall)} more converge on stable, at most ${margin} is wanted`
      : null;
  const reason = missed ?? changed;
  if (reason === null) return probeVerdict(report, NAME, "pass", finding);
  return probeVerdict(report, NAME, "inconclusive", { ...finding, reason, needs: "a person" });
}

function judge(report: ProbeReport, stage: StageView, options: LambdaOptions): readonly Verdict[] {
  if (options.mode === "literal") return [decideLiteral(report, stage, options)];
  const blocked = harm(report, options) ?? unheard(report);
  if (blocked !== null) return [blocked];
  const { candidate } = report.arms;
  const margin = boundAt(options.margin, stage.candidateBp);
  const estimate = candidate.lambda.convergentShare;
  const flips = report.paired?.flipRate;
  const convergent = report.paired?.convergentShare;
  if ((flips !== undefined && flips.ci[1] > margin) || (convergent !== undefined && convergent.ci[0] < -margin)) {
    const reason = `a rise of flips or a fall of convergent questions by ${margin} is not excluded`;
    return [
      probeVerdict(report, NAME, "inconclusive", { estimate, threshold: margin, reason, needs: "more questions" }),
    ];
  }
  const missed = belowLevel(candidate, options.level);
  if (missed !== null) {
    const finding = {
      estimate,
      threshold: options.level === "paired" ? null : LEVELS[options.level].convergent,
      reason: missed,
    };
    return [probeVerdict(report, NAME, "inconclusive", { ...finding, needs: "a person" })];
  }
  const reason = `${shown(estimate)} of the questions converge, ${shown(candidate.lambda.flipRate)} of the phrasings flip`;
  return [probeVerdict(report, NAME, "pass", { estimate, threshold: margin, reason })];
}

const LOOK_AT = "the prompt and the model version: what changed in how an answer is written?";

/**
 * Whether questions keep their outcome over phrasings and repetitions, paired with stable, and at an absolute level
 * where the preset asks for one.
 * @source definitions.md §5; decision-policy.md "Margins" (GQ-10, GQ-11, GQ-12, RB-2)
 */
export const lambda = defineGate({
  name: NAME,
  reads: "probe",
  counts: "questions",
  says: "Do questions keep their outcome over phrasings and repetitions, as they do on stable?",
  unit: "share of phrasings that flip",
  from: "probes",
  options: OPTIONS,
  conditions: {
    flip_rate: { means: "changes its answers with the wording of the question", lookAt: LOOK_AT },
    [FEWER_CONVERGE]: {
      means: "answers fewer questions rightly each time they are asked",
      lookAt: "what it retrieves for those questions, and what they are answered now",
    },
    [ONE_QUESTION]: { means: "answers one question differently when it is worded differently", lookAt: LOOK_AT },
  },
  probe: judge,
});
