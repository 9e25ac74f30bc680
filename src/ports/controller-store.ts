import type { Json } from "../core/canonical-json.ts";
import type { Order } from "../core/process/order.ts";
import type { UnitEvidenceSnapshot } from "../core/by-unit/unit-evidence.ts";
import type { ProbeReport } from "../core/measure/report.ts";
import type { ServiceHour } from "../core/observe/hourly-rates.ts";
import type { Observations } from "../core/observe/observations.ts";
import type { JournalEntry } from "../core/rollout/journal-entry.ts";
import { isFinal, type Phase } from "../core/rollout/phase.ts";
import type { Rollout } from "../core/rollout/rollout.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { PointerMove } from "../core/service/pointer.ts";
import type { EpochMs } from "../core/unit.ts";
import type { OwnedStore } from "./ownership.ts";

export interface StoredRollout {
  readonly rollout: Rollout;
  readonly observations: Observations;
  /** Grows by one with every commit; the compare-and-set of the rollout. */
  readonly version: number;
  readonly createdAt: EpochMs;
}

/** What is told of a rollout that is over without reading it. */
export interface EndedRollout {
  readonly rolloutId: string;
  readonly service: string;
  readonly generation: number;
  readonly version: number;
  readonly phase: Phase;
  readonly startedAt: EpochMs | null;
  readonly endedAt: EpochMs;
  /** True when a document of it was ordered; and the lease it gave, null for none. */
  readonly splitOrdered: boolean;
  readonly leaseMs: number | null;
}

/** What is told of a rollout once it is over; null while it runs. */
export function endedOf({ rollout, version, createdAt }: StoredRollout): EndedRollout | null {
  if (!isFinal(rollout)) return null;
  const { plan, phase, startedAt, splitOrdered } = rollout;
  const { rolloutId, service, generation, leaseMs = null } = plan;
  const endedAt = rollout.endedAt ?? createdAt;
  return { rolloutId, service, generation, version, phase, startedAt, endedAt, splitOrdered, leaseMs };
}

/** A published document and the order that published it, so that carrying the order out again publishes nothing. */
export interface PublishedDocument {
  readonly document: RoutingDocument;
  readonly orderId: string;
}

/**
 * What the units of one try showed. Stored apart and less often than the rollout: its sets and its e-values go
 * back together when a few seconds of it are lost, so nothing is counted twice.
 */
export interface StoredUnits {
  readonly rolloutId: string;
  readonly generation: number;
  /** The rollout's evidenceGeneration: a second try goes on from nothing of the first. */
  readonly attempt: number;
  readonly evidence: UnitEvidenceSnapshot;
}

/** The answer given to an operator's request, replayed when the same key comes again. */
export interface OperatorAnswer {
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
}

/** A data plane that adopted a document of a service and has not said goodbye. */
export interface StoredPlane {
  readonly service: string;
  /** Unique for each start of a data plane. */
  readonly gatewayId: string;
  /** The same over restarts; that of a data plane of version 1 is its gatewayId. */
  readonly planeId: string;
  readonly version: number;
  readonly firstSeenAt: EpochMs;
  /** It left, or a person said that it is gone; null while it counts. */
  readonly gone: {
    readonly at: EpochMs;
    readonly why: "left" | "forgotten";
    readonly by: string;
    readonly reason: string;
  } | null;
}

/** A credential that was handed out; its secret is known to its holder alone. */
export interface StoredToken {
  /** sha256 of the secret, in hex. */
  readonly hash: string;
  readonly name: string;
  readonly scope: "view" | "operate" | "gateway" | "telemetry" | "worker" | "admin";
  readonly createdAt: EpochMs;
  /** Null: it counts until it is revoked. */
  readonly expiresAt: EpochMs | null;
  readonly revokedAt: EpochMs | null;
}

/** What stays of an ended rollout that was removed: its name and generations are never given again. */
export interface PrunedRollout {
  readonly rolloutId: string;
  readonly service: string;
  /** The last one it had. */
  readonly generation: number;
  readonly phase: Phase;
  readonly endedAt: EpochMs;
  readonly at: EpochMs;
  readonly by: string;
}

/** A process that is no rollout, as its machine left it. */
export interface StoredProcess {
  readonly processId: string;
  /** Of the machine that steps it. */
  readonly kind: string;
  readonly service: string;
  /** Of the form of `state`; a newer one than this program knows is refused in words. */
  readonly schema: number;
  /** The machine's state, its plan included: plain data. */
  readonly state: Json;
  /** Grows by one with every commit; the compare-and-set of the process. */
  readonly version: number;
  readonly createdAt: EpochMs;
}

/** One decision of a process, written before the work it asks for begins. `index` is contiguous from 0. */
export interface ProcessEntry {
  readonly processId: string;
  readonly index: number;
  /** Its tries are numbered from 1; the state of one is what its own entries fold to. */
  readonly generation: number;
  /** The machine's event: plain data. */
  readonly event: Json;
  readonly orders: readonly Order[];
  /** What the decision changed, in words. */
  readonly notes: readonly string[];
}

/** Who may act on the effects of a service. */
export interface StoredGrant {
  readonly service: string;
  /** Release that may act. */
  readonly holder: string;
  /** Region of it that alone begins effects; absent or null while the service has one, or nobody was promoted. */
  readonly region?: string | null;
  /** Fencing token: whatever the effects change refuses a lower one than it has seen. */
  readonly token: number;
  /** Nobody may act until then; null: nothing is frozen. */
  readonly frozenUntil: EpochMs | null;
  /** The process and the order that said so, and when. */
  readonly process: string;
  readonly orderId: string;
  readonly at: EpochMs;
  /** Epoch of the service's pointer then: a later pointer of another process moves the effects too. 0 before any. */
  readonly pointerEpoch: number;
  /** It was seen that no other release has a leave any more; until then one that an earlier owner gave may run. */
  readonly isHandedOver: boolean;
  /** Grows by one with every commit; the compare-and-set of the grant. */
  readonly version: number;
}

/** One atomic change. Everything in it becomes durable together or not at all. */
export interface Change {
  /** Taken only while this owner has the store; left out, whoever owns it. */
  readonly owner?: number;
  readonly rollout?: { readonly expectedVersion: number | null; readonly next: StoredRollout };
  readonly journal?: readonly JournalEntry[];
  readonly published?: {
    readonly expected: Pick<RoutingDocument, "epoch" | "seq"> | null;
    readonly next: PublishedDocument;
  };
  readonly report?: { readonly rolloutId: string; readonly orderId: string; readonly report: ProbeReport };
  readonly answer?: OperatorAnswer;
  /** Data planes; each replaces the one stored for its service and planeId. */
  readonly planes?: readonly StoredPlane[];
  /** The next entry of a service's pointer history: taken only when its version follows the stored one (from 1). */
  readonly pointer?: PointerMove;
  /** Replaces the token of its hash. */
  readonly token?: StoredToken;
  /** Evidence by unit of a rollout's generation; replaces what was stored of it. */
  readonly units?: StoredUnits;
  /** Removes a rollout with its journal, reports and evidence by unit; taken only at its expected version. */
  readonly pruned?: { readonly expectedVersion: number; readonly left: PrunedRollout };
  readonly process?: {
    readonly expectedVersion: number | null;
    readonly next: StoredProcess;
    readonly entry: ProcessEntry;
  };
  /** Taken only when its version follows the stored one (from 1). */
  readonly grant?: StoredGrant;
  /** Counts so far; each replaces the one stored for its service and hour. */
  readonly hours?: readonly ServiceHour[];
}

/** Where a controller keeps what may not be lost. */
export interface ControllerStore extends OwnedStore {
  /**
   * False, with nothing written, when the change's owner has lost the store, when an expected version or (epoch, seq)
   * is not the stored one, or a journal entry or a pointer is not the next one. A key keeps its first answer, an order
   * its latest report. Rejects with DriverError: nothing was written, or, with the advice `after-read`, nobody knows.
   */
  commit(change: Change): Promise<boolean>;
  /** Every data plane that was ever stored. */
  planes(): Promise<readonly StoredPlane[]>;
  /** Every rollout, those that are over too: as much as is stored, so for copies and tests. */
  rollouts(): Promise<readonly StoredRollout[]>;
  /** Null for one that is not stored. */
  rollout(rolloutId: string): Promise<StoredRollout | null>;
  /** Those that are not over, the oldest first. */
  unended(): Promise<readonly StoredRollout[]>;
  /** What is told of those that are over, of one service or of all, the oldest end first. */
  ended(service?: string): Promise<readonly EndedRollout[]>;
  /** Entries of one rollout in order. */
  journal(rolloutId: string): Promise<readonly JournalEntry[]>;
  published(): Promise<readonly PublishedDocument[]>;
  /** Oldest first. */
  processes(): Promise<readonly StoredProcess[]>;
  /** Entries of one process in order. */
  processJournal(processId: string): Promise<readonly ProcessEntry[]>;
  /** One of each service that has any. */
  grants(): Promise<readonly StoredGrant[]>;
  /** The newest pointer of every service and region. */
  pointers(): Promise<readonly PointerMove[]>;
  /** Every pointer a service had, oldest first. */
  pointerHistory(service: string): Promise<readonly PointerMove[]>;
  /** Every token ever handed out, oldest first. */
  tokens(): Promise<readonly StoredToken[]>;
  /** Probe reports of one rollout, oldest first. */
  reports(rolloutId: string): Promise<readonly { readonly orderId: string; readonly report: ProbeReport }[]>;
  /** Evidence by unit of a rollout's latest generation that stored any; null before the first. */
  units(rolloutId: string): Promise<StoredUnits | null>;
  answer(key: string): Promise<OperatorAnswer | null>;
  /** What stayed of every rollout that was removed, the latest removal of each. */
  pruned(): Promise<readonly PrunedRollout[]>;
  /** Hourly counts of all services, from `sinceHour` on. */
  hours(sinceHour: number): Promise<readonly ServiceHour[]>;
  close(): Promise<void>;
}
