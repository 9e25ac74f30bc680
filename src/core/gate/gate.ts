import type { ByArm } from "../arm.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { Bp, EpochMs } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { ArmWindow } from "../window/window.ts";

/** One gate of a plan: its kind, its options with every default filled in, and where the document asked for it. */
export interface GateSetting {
  /** Its kind, with the instance's name where a kind may be used more than once: `coverage`, `metric[queue-age]`. */
  readonly gate: string;
  /** Options of the gate's kind; validated by the spec layer against the gate's own schema. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the user asked for it, e.g. `preset default` or `rollout.yaml:31`. */
  readonly source: string;
  /** The shares at which the gate is asked; absent for all of them. Its evidence is gathered at every share. */
  readonly within?: ShareRange;
}

/** Shares of the candidate from `fromBp` to `toBp`, both included. */
export interface ShareRange {
  readonly fromBp: Bp;
  readonly toBp: Bp;
}

/**
 * Both arms' traffic between two instants at one share, as one place saw it. The unit of evidence of every traffic gate.
 */
export interface Block {
  readonly candidateBp: Bp;
  readonly arms: ByArm<ArmWindow>;
  /** When the block ended, and how long it was. */
  readonly endMs: EpochMs;
  readonly spanMs: number;
  /** Who counted: units are distinct only within one source. */
  readonly source: string;
}

/** One reading of a metric from outside, for each arm that has one. */
export interface Reading {
  readonly metric: string;
  readonly atMs: EpochMs;
  readonly candidate: ReadingOutcome;
  /** Null when the metric has no stable side. */
  readonly stable: ReadingOutcome | null;
}

export type ReadingOutcome =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "no-data" | "error"; readonly reason: string };

/** What a gate may know about the stage it judges. */
export interface StageView {
  readonly kind: "probes" | "traffic" | "watch";
  readonly candidateBp: Bp;
  readonly heldMs: number;
  readonly holdMs: number;
}

/**
 * A gate over user traffic: a fold over blocks and a decision at any moment. State is JSON so that it survives a
 * restart; it runs through the whole rollout and is never restarted at a stage.
 */
export interface TrafficGate<Options, State> {
  readonly kind: "traffic";
  readonly name: string;
  start(options: Options): State;
  fold(state: State, block: Block, options: Options): State;
  /** The state after a reading of a metric from outside; only gates that ask for metrics have it. */
  read?(state: State, reading: Reading, options: Options): State;
  /** The fuse alone: cheap, so that it can be looked at far more often than a whole verdict is written. */
  isHarmProven(state: State, options: Options): boolean;
  decide(state: State, stage: StageView, options: Options): Verdict;
}

/** A gate over a probe report; may give one verdict a topic. */
export interface ProbeGate<Options> {
  readonly kind: "probe";
  readonly name: string;
  decide(report: ProbeReport, stage: StageView, options: Options): readonly Verdict[];
}
