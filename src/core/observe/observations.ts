import type { ByArm } from "../arm.ts";
import type { Manifest } from "../release/manifest.ts";
import type { Watched } from "../rollout/wheel.ts";
import type { EpochMs } from "../unit.ts";
import type { ShadowWindow } from "../window/shadow-window.ts";
import type { ErrorClass } from "../window/window.ts";
import type { WorstWindows } from "./worst-window.ts";

/** What was seen under one document, for comparing the share ordered with the share measured. */
export interface DocumentTraffic {
  readonly epoch: number;
  readonly seq: number;
  readonly requests: ByArm<number>;
  /** Units seen for the first time in the epoch. */
  readonly units: ByArm<number>;
}

/** How often each class of error was seen. */
export type ClassCounts = Readonly<Record<ErrorClass, number>>;

/** Counts kept for people and reports; no gate reads them. */
export interface TrafficTotals {
  readonly requests: ByArm<number>;
  readonly failures: ByArm<number>;
  readonly units: ByArm<number>;
  /** Failures by class, as many classes as a window may have; absent in what an older version stored. */
  readonly classes?: ByArm<ClassCounts>;
  /** Answers that the service marked as cold starts; reported, never judged by themselves (CW-5). */
  readonly cold: ByArm<number>;
  readonly gatewayFailures: number;
  /** What copies showed; absent while there were none. */
  readonly shadow?: ShadowWindow;
  /** Windows that never came: gaps in the gateways' sequence numbers. */
  readonly lostWindows: number;
  /** Under the newest document any gateway reported from; null before the first report. */
  readonly latest: DocumentTraffic | null;
  /** Start of the first and end of the last window in which the candidate answered a user. */
  readonly firstCandidateAt: EpochMs | null;
  readonly lastCandidateAt: EpochMs | null;
}

/**
 * What a rollout has seen: persisted with every accepted window, so that a restart loses nothing. `Watched` belongs to
 * one try and begins afresh on a retreat; everything named here lives as long as the generation does.
 */
export interface Observations extends Watched {
  /** Highest telemetry sequence number taken in, by gateway: a window at or below it is a repetition. */
  readonly cursors: Readonly<Record<string, number>>;
  /** When its controller is known to have lived last, by its own clock; absent in what an older version stored. */
  readonly livedAt?: EpochMs;
  /** Epoch of this rollout's first document; null before it. Candidate traffic of earlier epochs is not its own. */
  readonly sinceEpoch: number | null;
  readonly totals: TrafficTotals;
  /** Where the candidate looked worst, for the person who has to find out why. */
  readonly worst: WorstWindows;
  /** Manifests of both arms when the rollout began. */
  readonly pinned: ByArm<Manifest> | null;
}
