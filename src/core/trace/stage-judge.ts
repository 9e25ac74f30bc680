import type { ByArm } from "../arm.ts";
import { type Evidence, foldEvidence, judgeProbes, startEvidence } from "../judge/engine.ts";
import type { Block, StageView } from "../judge/block.ts";
import { type GateSetting, gateLabel, isInForce, maySkip, speaksFor } from "../judge/setting.ts";
import { sampleRatio } from "../judge/traffic/sample-ratio.ts";
import { gateNamed, isEntryGate, isProbeGate, isTrafficGate } from "../judge/gates.ts";
import { type Cadence, judgeWhenDue } from "../rollout/wheel.ts";
import { lnSampleRatioMismatch } from "../stats/count-e-process.ts";
import { BP_ALL, type Bp } from "../unit.ts";
import { overall, unmeasured, type Verdict } from "../verdict.ts";
import type { ArmWindow } from "../window/window.ts";
import type { Judgement, SampleRatio, TraceRules } from "./judgement.ts";
import { chooseStage } from "./stage-choice.ts";

/** One window of a trace. Shares are null where the trace does not say at which one it was recorded. */
export interface TraceBlock extends Omit<Block, "candidateBp"> {
  readonly candidateBp: Bp | null;
  /** The share in force when the window came: a slow gateway may still send windows of the one before. */
  readonly stageBp: Bp | null;
  /** The event (1-based) whose arrival closed the window. */
  readonly event: number;
  /** Gate `parity` on everything up to this window; null while nothing states an identity. */
  readonly parity: Verdict | null;
}

/** Requests of each arm after which the realised share is taken, and windows after which it is taken anyway. */
const SHARE_REQUESTS = 400;
const SHARE_WINDOWS = 300;
/** Of a trace only the first fail is asked for while it is read, and everything at its end. */
const FUSES_ONLY: Cadence = () => false;
const UNKNOWN_STAGE: StageView = { kind: "traffic", candidateBp: 0 as Bp, heldMs: 0, holdMs: 0 };
const ALL_OF_IT: Cadence = () => true;

/**
 * Judges the windows of one trace as one stage, with the gate engine a live stage has: evidence is folded window by
 * window, the fuses are looked at after each, and the first fail ends it. Windows wait until the share is known, which
 * takes a few seconds of traffic; the answer is the same as if it had been known from the start.
 */
export class StageJudge {
  readonly #rules: TraceRules;
  readonly #traffic: readonly GateSetting[];
  readonly #usersNamedBy: readonly string[];
  #evidence: Evidence;
  #waiting: TraceBlock[] = [];
  #requests = { stable: 0, candidate: 0 };
  #units = { stable: 0, candidate: 0 };
  #candidateEvents = 0;
  #startMs = 0;
  #stage: StageView | null = null;
  #chosenBy: ByArm<number> | null = null;
  #parity: Verdict | null = null;
  #probeVerdicts: readonly Verdict[] = [];
  #decision: Judgement | null = null;

  /**
   * @param hasUnits whether the trace says which unit each event belongs to, and at which share it was drawn
   * @param usersNamedBy the field of an event that names its user; none for windows, which say themselves
   */
  constructor(rules: TraceRules, hasUnits: boolean, usersNamedBy: readonly string[] = []) {
    this.#rules = rules;
    this.#usersNamedBy = usersNamedBy;
    this.#traffic = rules.gates.filter(({ gate }) => {
      const { reads, counts } = gateNamed(gate);
      if (reads !== "traffic" || counts === "pairs" || (counts === "units" && !hasUnits)) return false;
      return !(rules.isTraceOnly && counts === "metrics");
    });
    this.#evidence = startEvidence(this.#traffic);
  }

  /** Whether a gate has failed. */
  get isDecided(): boolean {
    return this.#decision !== null;
  }

  /** Takes the next window. After a fail nothing is taken any more. */
  take(block: TraceBlock): void {
    if (this.#decision !== null) return;
    this.#requests = add(this.#requests, block.arms, (arm) => arm.requestsAll);
    if (block.candidateBp !== null || this.#stage !== null) {
      this.#fold(block);
      return;
    }
    this.#waiting.push(block);
    const isKnown = Math.min(this.#requests.stable, this.#requests.candidate) >= SHARE_REQUESTS;
    if (isKnown || this.#waiting.length >= SHARE_WINDOWS) this.#settle();
  }

  /** The judgement on everything that was taken. */
  finish(): Judgement {
    this.#settle();
    if (this.#stage === null && this.#rules.probes === null) this.#probeVerdicts = this.#unasked(UNKNOWN_STAGE);
    const stage = this.#stage ?? UNKNOWN_STAGE;
    return this.#decision ?? this.#judge(stage, this.#verdicts(stage, ALL_OF_IT) ?? [], null);
  }

  #settle(): void {
    const waiting = this.#waiting;
    const [first] = waiting;
    this.#waiting = [];
    if (first !== undefined) this.#enter(first);
    for (const block of waiting) if (this.#decision === null) this.#fold(block);
  }

  /** Begins the stage, or the next share of a trace that says its shares. */
  #enter({ stageBp, endMs, spanMs }: TraceBlock): StageView {
    const { ladder, probes, gates } = this.#rules;
    const { stable, candidate } = this.#requests;
    const total = stable + candidate;
    const chosen = chooseStage(ladder, total === 0 ? 0 : candidate / total, stageBp);
    const { candidateBp } = chosen;
    this.#chosenBy = stageBp === null ? this.#requests : null;
    const kind = candidateBp === BP_ALL ? "watch" : "traffic";
    const holdMs = this.#rules.holdMs ?? chosen.holdMs;
    const stage: StageView = { kind, candidateBp, heldMs: 0, holdMs, usersNamedBy: this.#usersNamedBy };
    this.#stage = stage;
    this.#startMs = endMs - spanMs;
    this.#probeVerdicts = probes === null ? this.#unasked(stage) : judgeProbes(probes, stage, gates);
    return stage;
  }

  #fold(block: TraceBlock): void {
    const { candidateBp, stageBp, event, parity, ...window } = block;
    const isEntered = this.#stage !== null && (stageBp === null || stageBp === this.#stage.candidateBp);
    const entered = isEntered && this.#stage !== null ? this.#stage : this.#enter(block);
    const stage = { ...entered, heldMs: Math.max(entered.heldMs, block.endMs - this.#startMs) };
    this.#stage = stage;
    this.#parity = parity;
    this.#units = add(this.#units, block.arms, (arm) => arm.newUnits);
    this.#candidateEvents += block.arms.candidate.requestsAll;
    this.#evidence = foldEvidence(
      this.#evidence,
      { ...window, candidateBp: candidateBp ?? stage.candidateBp },
      this.#traffic,
    );
    const verdicts = this.#verdicts(stage, FUSES_ONLY);
    if (verdicts !== null) this.#decision = this.#judge(stage, verdicts, { event, atMs: block.endMs });
  }

  #verdicts(stage: StageView, cadence: Cadence): readonly Verdict[] | null {
    const parity = this.#asksIdentity(stage) ? this.#parity : null;
    const beside = [...(parity === null ? [] : [parity]), ...this.#probeVerdicts];
    return judgeWhenDue(this.#evidence, stage, this.#traffic, cadence, beside);
  }

  #asksIdentity({ candidateBp }: StageView): boolean {
    return this.#rules.gates.some((setting) => isEntryGate(setting.gate) && isInForce(setting, candidateBp));
  }

  #judge(stage: StageView, verdicts: readonly Verdict[], decidedAt: Judgement["decidedAt"]): Judgement {
    const failed = verdicts.find(({ kind }) => kind === "fail");
    const kind = overall(verdicts);
    const missingMs = stage.holdMs - stage.heldMs;
    const isTooShort = kind === "pass" && missingMs > 0;
    return {
      kind: isTooShort ? "inconclusive" : kind,
      decidedBy: failed === undefined ? null : gateLabel(failed),
      decidedAt: kind === "fail" ? decidedAt : null,
      candidateEvents: this.#candidateEvents,
      verdicts,
      notJudged: this.#leftOut(this.#asksIdentity(stage) ? this.#parity : null, stage, verdicts),
      stage: this.#stage === null ? null : { ...stage, chosenBy: this.#chosenBy },
      sampleRatio: this.#sampleRatio(),
      needs: isTooShort ? `${missingMs / 1_000} s more traffic: the stage holds ${stage.holdMs / 1_000} s` : null,
    };
  }

  /** Gates that would ask gold questions, which a trace does not hold. */
  #unasked(stage: StageView): readonly Verdict[] {
    if (this.#rules.isTraceOnly) return [];
    const { gates } = this.#rules;
    const asked = gates.filter((setting) => isProbeGate(setting.gate) && isInForce(setting, stage.candidateBp));
    const needs = "the answer of `sluice probe --json` as --probe-results, or --only trace";
    return asked.map(({ gate }) => unmeasured(gate, "no-data", "a trace holds no answers to gold questions", needs));
  }

  /** Also what stays out of the decision because nothing in the trace tells it. */
  #leftOut(parity: Verdict | null, { candidateBp }: StageView, verdicts: readonly Verdict[]): readonly string[] {
    const { gates, probes, isTraceOnly } = this.#rules;
    const left = gates.filter((setting) => {
      if (isProbeGate(setting.gate)) return isTraceOnly && probes === null;
      if (!isTrafficGate(setting.gate)) return parity === null;
      const isUnwatched = maySkip(setting) && !verdicts.some((verdict) => speaksFor(setting, verdict));
      return !this.#traffic.includes(setting) || (isUnwatched && isInForce(setting, candidateBp));
    });
    return left.map(gateLabel);
  }

  #sampleRatio(): SampleRatio | null {
    const { splitBp, gates } = this.#rules;
    if (splitBp === null) return null;
    const units = this.#units;
    const share = splitBp / 10_000;
    if (units.stable + units.candidate === 0 || share <= 0 || share >= 1) return { lnE: null, ok: false, units };
    const { alpha } = sampleRatio.optionsOf(gates.find(({ gate }) => gate === sampleRatio.name)?.options ?? {});
    const lnE = lnSampleRatioMismatch([units.stable, units.candidate], [1 - share, share]);
    return { lnE, ok: lnE < Math.log(1 / alpha), units };
  }
}

function add(
  before: ByArm<number>,
  arms: ByArm<ArmWindow>,
  count: (arm: ArmWindow) => number,
): ByArm<number> & {
  stable: number;
  candidate: number;
} {
  return { stable: before.stable + count(arms.stable), candidate: before.candidate + count(arms.candidate) };
}
