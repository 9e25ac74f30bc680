import type { WorstWindows } from "../core/evidence/worst-window.ts";
import type { Evidence } from "../core/gate/gate-set.ts";
import type { ProbeReport } from "../core/measure/report.ts";
import type { Manifest } from "../core/release/manifest.ts";
import type { ByArm } from "../core/arm.ts";
import type { Effect } from "../core/rollout/effect.ts";
import type { RolloutEvent } from "../core/rollout/event.ts";
import type { Phase, Rollout } from "../core/rollout/rollout.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { PointerMove } from "../core/service/pointer.ts";
import type { Bp, EpochMs } from "../core/unit.ts";

/** What was seen under one document, for comparing the share ordered with the share measured. */
export interface DocumentTraffic {
  readonly epoch: number;
  readonly seq: number;
  readonly requests: ByArm<number>;
  /** Units seen for the first time in the epoch. */
  readonly units: ByArm<number>;
}

/** Counts kept for people and reports; no gate reads them. */
export interface TrafficTotals {
  readonly requests: ByArm<number>;
  readonly failures: ByArm<number>;
  readonly units: ByArm<number>;
  /** Answers that the service marked as cold starts; reported, never judged by themselves (CW-5). */
  readonly cold: ByArm<number>;
  readonly gatewayFailures: number;
  /** Windows that never came: gaps in the gateways' sequence numbers. */
  readonly lostWindows: number;
  /** Under the newest document any gateway reported from; null before the first report. */
  readonly latest: DocumentTraffic | null;
  /** Start of the first and end of the last window in which the candidate answered a user. */
  readonly firstCandidateAt: EpochMs | null;
  readonly lastCandidateAt: EpochMs | null;
}

/** What a rollout has seen: persisted with every accepted window, so that a restart loses nothing. */
export interface Observations {
  readonly evidence: Evidence;
  /** The rollout's evidenceGeneration this evidence belongs to. */
  readonly generation: number;
  /** Newest document of the try before this one, 0 in the first try: its late windows are counted and not judged. */
  readonly judgedAfterEpoch: number;
  /** Highest telemetry sequence number taken in, by gateway: a window at or below it is a repetition. */
  readonly cursors: Readonly<Record<string, number>>;
  /** Epoch of this rollout's first document; null before it. Candidate traffic of earlier epochs is not its own. */
  readonly sinceEpoch: number | null;
  readonly totals: TrafficTotals;
  /** Where the candidate looked worst, for the person who has to find out why. */
  readonly worst: WorstWindows;
  /** Manifests of both arms when the rollout began. */
  readonly pinned: ByArm<Manifest> | null;
}

export interface StoredRollout {
  readonly rollout: Rollout;
  readonly observations: Observations;
  /** Grows by one with every commit; the compare-and-set of the rollout. */
  readonly version: number;
  readonly createdAt: EpochMs;
}

/** One decision, written before the work it asks for begins. `index` is contiguous from 0. */
export interface JournalEntry {
  readonly rolloutId: string;
  readonly index: number;
  readonly event: RolloutEvent;
  readonly effects: readonly Effect[];
  /** The state after the event, in short. */
  readonly phase: Phase;
  readonly stageIndex: number;
  readonly candidateBp: Bp;
}

/** A published document and the effect that published it, so that running the effect again publishes nothing. */
export interface PublishedDocument {
  readonly document: RoutingDocument;
  readonly effectId: string;
}

/** The answer given to an operator's request, replayed when the same key comes again. */
export interface StoredAnswer {
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
}

/** Requests a service answered in one hour since 1970. */
export interface ServiceHour {
  readonly service: string;
  readonly hour: number;
  readonly requests: number;
}

/** One atomic change. Everything in it becomes durable together or not at all. */
export interface Change {
  readonly rollout?: { readonly expectedVersion: number | null; readonly next: StoredRollout };
  readonly journal?: readonly JournalEntry[];
  readonly published?: {
    readonly expected: Pick<RoutingDocument, "epoch" | "seq"> | null;
    readonly next: PublishedDocument;
  };
  readonly report?: { readonly rolloutId: string; readonly effectId: string; readonly report: ProbeReport };
  readonly answer?: StoredAnswer;
  /** The next entry of a service's pointer history: taken only when its version follows the stored one (from 1). */
  readonly pointer?: PointerMove;
  /** Counts so far; each replaces the one stored for its service and hour. */
  readonly hours?: readonly ServiceHour[];
}

/** Where a controller keeps what may not be lost. One owner process at a time. */
export interface ControllerStore {
  /**
   * False, with nothing written, when an expected version or (epoch, seq) is not the stored one, or a journal entry or a
   * pointer is not the next one. A key keeps its first answer, an effect its latest report. Rejects with DriverError, nothing written.
   */
  commit(change: Change): Promise<boolean>;
  rollouts(): Promise<readonly StoredRollout[]>;
  /** Entries of one rollout in order. */
  journal(rolloutId: string): Promise<readonly JournalEntry[]>;
  published(): Promise<readonly PublishedDocument[]>;
  /** The newest pointer of every service and region. */
  pointers(): Promise<readonly PointerMove[]>;
  /** Every pointer a service had, oldest first. */
  pointerHistory(service: string): Promise<readonly PointerMove[]>;
  /** Probe reports of one rollout, oldest first. */
  reports(rolloutId: string): Promise<readonly { readonly effectId: string; readonly report: ProbeReport }[]>;
  answer(key: string): Promise<StoredAnswer | null>;
  /** Hourly counts of all services, from `sinceHour` on. */
  hours(sinceHour: number): Promise<readonly ServiceHour[]>;
  close(): Promise<void>;
}
