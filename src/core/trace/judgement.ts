import type { ByArm } from "../arm.ts";
import type { GateSetting } from "../judge/setting.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { Stage } from "../stage/plan.ts";
import type { Bp, EpochMs } from "../unit.ts";
import type { Verdict, VerdictKind } from "../verdict.ts";

/** What a trace is judged by. */
export interface TraceRules {
  readonly gates: readonly GateSetting[];
  /** The ladder the one stage is taken from: the one nearest to the trace's share gives hold and margins. */
  readonly ladder: readonly Stage[];
  /** Hold instead of the stage's own. */
  readonly holdMs: number | null;
  /** The candidate's ordered share of units; null when nobody says, then the split is not tested. */
  readonly splitBp: Bp | null;
  readonly probes: ProbeReport | null;
  /** Judges by the gates a trace can answer alone; the others are named and left out. */
  readonly isTraceOnly: boolean;
}

/** The stage a trace was judged as. */
interface JudgedStage {
  readonly candidateBp: Bp;
  /** The first requests of a trace that does not say its share, which gave the stage; null where it was said. */
  readonly chosenBy: ByArm<number> | null;
  readonly holdMs: number;
  readonly heldMs: number;
}

/** Test of the split on distinct units. `ok` only with units that follow the order. */
export interface SampleRatio {
  /** ln of the e-value; null without any unit. */
  readonly lnE: number | null;
  readonly ok: boolean;
  readonly units: ByArm<number>;
}

/** What the gates say about a trace, at the first fail or at its end. */
export interface Judgement {
  readonly kind: VerdictKind;
  /** Name of the gate that failed first in the order of causes; null without a fail. */
  readonly decidedBy: string | null;
  /** When a fail was found: the event (1-based) that closed the deciding window, and the end of that window. */
  readonly decidedAt: { readonly event: number; readonly atMs: EpochMs } | null;
  /** Candidate events in the windows up to the decision. */
  readonly candidateEvents: number;
  readonly verdicts: readonly Verdict[];
  /** Gates of the rules that were left out, because nothing in the trace could answer them. */
  readonly notJudged: readonly string[];
  /** Null when nothing was judged. */
  readonly stage: JudgedStage | null;
  readonly sampleRatio: SampleRatio | null;
  /** What is missing besides what single gates need, as a sentence; null when nothing is. */
  readonly needs: string | null;
}

/** How the lines of a trace were read. */
export interface LineCounts {
  /** Lines that are not blank. */
  readonly lines: number;
  readonly malformed: number;
  /** Physical line and reason of the first malformed one. */
  readonly firstMalformed: { readonly line: number; readonly reason: string } | null;
  /** Events of windows that were closed already: counted here and nowhere else. */
  readonly late: number;
  /** Probe, warm-ping and shadow events: in no gate. */
  readonly probes: number;
  /** Events or windows that were delivered before, counted once; and windows missing between those that are there. */
  readonly repeated: number;
  readonly lost: number;
  /** Records of a log that are no request of an arm, such as the spans of clients. */
  readonly skipped: number;
  /** Fields that are there and could not be read, by their name. */
  readonly unread: Readonly<Record<string, UnreadCount>>;
}

/** How often a field could not be read, and where it was first. */
export interface UnreadCount {
  readonly events: number;
  readonly line: number;
  readonly reason: string;
}

/** Reads a trace line by line, as far as it must. */
export interface LineJudge {
  /**
   * Takes the value of one line. True when the answer is known and nothing more needs to be read.
   * @param line physical line number, 1-based
   */
  take(json: unknown, line: number): boolean;
  /** Counts a line that cannot be read. True as above. */
  refuse(reason: string, line: number): boolean;
  /** The answer; call it once, after the last line or after `take` or `refuse` said true. */
  finish(): TraceJudgement;
}

/** Judgement and line counts together: the whole answer. */
export interface TraceJudgement extends Judgement {
  readonly counts: LineCounts;
}
