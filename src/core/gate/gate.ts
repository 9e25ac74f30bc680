import type { ByArm } from "../arm.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { Bp } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { ArmWindow } from "../window/window.ts";

/** One gate of a plan: its kind, its options with every default filled in, and where the document asked for it. */
export interface GateSetting {
  readonly gate: string;
  /** Options of the gate's kind; validated by the spec layer against the gate's own schema. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where the user asked for it, e.g. `preset default` or `rollout.yaml:31`. */
  readonly source: string;
}

/** Both arms' traffic between two instants at one share. The unit of evidence of every traffic gate. */
export interface Block {
  readonly candidateBp: Bp;
  readonly arms: ByArm<ArmWindow>;
}

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
