import type { ByArm } from "../arm.ts";
import type { UnitView } from "../by-unit/unit-evidence.ts";
import type { Bp, EpochMs } from "../unit.ts";
import type { Stage } from "../stage/plan.ts";
import type { ShadowWindow } from "../window/shadow-window.ts";
import type { ArmWindow, ErrorClass, UnitWindow } from "../window/window.ts";

/**
 * Both arms' traffic between two instants at one share, as one place saw it. The unit of evidence of every traffic
 * gate.
 */
export interface Block {
  readonly candidateBp: Bp;
  readonly arms: ByArm<ArmWindow>;
  /** When the block ended, and how long it was. */
  readonly endMs: EpochMs;
  readonly spanMs: number;
  /** Who counted: units are distinct only within one source. */
  readonly source: string;
  /** Which units met what; absent where nobody tells them apart. */
  readonly units?: UnitWindow;
  /** What copies of requests showed; absent where there were none. */
  readonly shadow?: ShadowWindow;
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
  readonly kind: Stage["kind"];
  readonly candidateBp: Bp;
  readonly heldMs: number;
  readonly holdMs: number;
  /** Headers or cookies that name a user, for the one who has to send them; absent where nobody knows. */
  readonly usersNamedBy?: readonly string[];
  /** What the units of this generation showed; absent where nobody tells units apart. */
  readonly units?: UnitView;
}

/** What a gate may know about the service from before its first block. */
export interface ServiceHistory {
  /** Error classes stable already showed. */
  readonly known: readonly ErrorClass[];
}

/** What may be learnt of a service's traffic before a rollout begins. */
export interface ServiceTraffic {
  /** Request rate from which an hour counts as a peak hour. */
  readonly peakRequestsPerSecond: number;
}
