import type { GateSetting } from "../judge/setting.ts";
import type { HealthMap } from "../release/health-map.ts";
import type { ManifestField } from "../release/manifest.ts";
import type { ArmTarget, Stickiness, UnitIdentity } from "../routing/document.ts";
import type { SegmentSource } from "../routing/segments.ts";
import type { ShadowOrder } from "../routing/shadow.ts";
import type { StableClaim } from "../service/pointer.ts";
import type { Bp } from "../unit.ts";
import type { AccessPlan } from "./access-plan.ts";
import type { PacePlan } from "./pace.ts";

/** Asks the gold set of both arms; no user traffic moves. */
interface ProbeStage {
  readonly kind: "probes";
  readonly tier: "smoke" | "full";
}

/** A share of units on the candidate, held until time and gates allow the next stage. */
export interface TrafficStage {
  readonly kind: "traffic";
  readonly candidateBp: Bp;
  /** Least time at this share, counted from the moment the data plane was read back at it. */
  readonly holdMs: number;
  /** Longest time without proof; then `onCap` decides. Counted like the hold. */
  readonly capMs: number;
  /** `wait`: a person decides. `proceed`: go on and record the stage as unproven. */
  readonly onCap: "wait" | "proceed";
}

/** 100 % on the candidate, watched while stable is kept warm; the last stage of every plan. */
interface WatchStage {
  readonly kind: "watch";
  readonly holdMs: number;
}

/** The candidate answers copies of stable's requests, and no user, until pairs of answers allow the next stage. */
export interface ShadowStage {
  readonly kind: "shadow";
  readonly holdMs: number;
  readonly capMs: number;
  readonly onCap: TrafficStage["onCap"];
}

export type Stage = ProbeStage | ShadowStage | TrafficStage | WatchStage;

/** What one arm is: where it is served and, when the document pins it, which health endpoint states its manifest. */
export interface ArmPlan extends ArmTarget {
  /** Where the arm answers, as the document has it. Missing in plans stored before arms had it. */
  readonly url?: string;
  /** Health endpoint that answers the manifest; null when the service has none, then parity is not checked. */
  readonly healthUrl: string | null;
  /** Endpoint that answers questions for probes; null when there are no probes. */
  readonly answerUrl: string | null;
  /** How probes and health checks get in; absent for an open service. */
  readonly access?: AccessPlan;
  /** Where the health answer says what; absent for the documented shape. */
  readonly healthMap?: HealthMap;
}

/** How an arm is got into and how its health answer is read, alone. */
export function mannerOf({ access, healthMap }: ArmPlan): Pick<ArmPlan, "access" | "healthMap"> {
  return { ...(access === undefined ? {} : { access }), ...(healthMap === undefined ? {} : { healthMap }) };
}

/** How probes are run; null in the plan when the rollout has none. */
export interface ProbePlan {
  /** Path of the gold set as the document names it, and the sha256 of its content when it was read. */
  readonly set: string;
  readonly goldDigest: string;
  readonly k: number;
  readonly repeats: number;
  /** Path of the response mapping; null for the default contract. */
  readonly map: string | null;
  readonly corpus: string | null;
  readonly embedder: string;
  readonly concurrency: number;
  /** Requests per second over both arms; null for no limit. */
  readonly requestsPerSecond: number | null;
}

/** A number from outside that gates ask for: where, how often, and how old it may be. */
export interface MetricPlan {
  readonly name: string;
  /** Name of the driver; which names there are is its registry's to say. */
  readonly source: string;
  readonly url: string;
  /** Query of each arm in the source's own language; null for a metric without a stable side. */
  readonly candidate: string;
  readonly stable: string | null;
  /** JSON pointer to the time of the numbers; null where the source has times of its own, or none. */
  readonly timestamp: string | null;
  /** File with the bearer token; null for none. */
  readonly tokenFile: string | null;
  /** How the source is got into; absent for an open one. */
  readonly access?: AccessPlan;
  readonly everyMs: number;
  readonly maxAgeMs: number;
}

/**
 * A rollout as it will be carried out: the document with every default filled in and every preset expanded. Immutable;
 * a changed document is a new generation.
 */
export interface RolloutPlan {
  readonly rolloutId: string;
  readonly generation: number;
  readonly service: string;
  readonly arms: { readonly stable: ArmPlan; readonly candidate: ArmPlan };
  readonly stages: readonly Stage[];
  /** Which of the traffic stages comes next is chosen by evidence; absent where they are climbed one by one. */
  readonly pace?: PacePlan;
  /** How requests are copied in the shadow stage; absent where there is none. */
  readonly shadow?: ShadowOrder;
  readonly gates: readonly GateSetting[];
  readonly onFail: { readonly to: "stable" | "previous-stage" };
  /** Identity fields that may differ between the arms because the document says so. */
  readonly changes: readonly ManifestField[];
  readonly identity: UnitIdentity;
  readonly allow: readonly string[];
  /** How evidence tells users apart; absent: not at all. */
  readonly segments?: readonly SegmentSource[];
  /** Seed and key are secrets of the installation. Without a key there are no cookies. */
  readonly sticky: Omit<Stickiness, "hash">;
  readonly drainMs: number;
  /**
   * How long a data plane may give users to the candidate without hearing from the controller; null: for ever, so a
   * rollback cannot be guaranteed. Absent in plans of the version before, which had no lease.
   */
  readonly leaseMs?: number | null;
  readonly probes: ProbePlan | null;
  readonly metrics: readonly MetricPlan[];
  readonly driver: string;
  /** Longest time from the order to roll back to the data plane's confirmation before the rollback counts as failed. */
  readonly rollbackWithinMs: number;
  /** sha256 of the parsed document and of the files it names: equal digests ask for the same thing. */
  readonly documentDigest: string;
  /** What the document says about stable; null when it takes the service's current release. */
  readonly claim: StableClaim | null;
  /**
   * Epoch of the document in force when the generation was accepted; a newer one of another rollout is a later one's.
   */
  readonly acceptedEpoch: number;
}

/** What the documents of a process are made of, and what moves a service's pointer, whatever decides when. */
export type TrafficPlan = Pick<
  RolloutPlan,
  | "rolloutId"
  | "generation"
  | "service"
  | "arms"
  | "gates"
  | "identity"
  | "allow"
  | "segments"
  | "sticky"
  | "drainMs"
  | "leaseMs"
  | "shadow"
  | "driver"
>;

/** What two arms are compared by. */
export type ComparedPlan = Pick<RolloutPlan, "arms" | "changes" | "gates">;
