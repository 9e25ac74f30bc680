import type { ServingArm } from "../arm.ts";
import type { Bp, EpochMs } from "../unit.ts";
import type { ArmFacts } from "./arm-facts.ts";
import type { Regions } from "./regions.ts";
import type { SegmentSource } from "./segments.ts";
import type { Serves } from "./schema-lock.ts";
import type { ShadowOrder } from "./shadow.ts";
import type { Succession } from "./signature.ts";

/** Where one arm is served and what separates its caches from the other arm's. */
export interface ArmTarget {
  readonly releaseId: string;
  /** Origins with scheme, host and port, e.g. `http://127.0.0.1:4001`; at least one. A path is a common prefix. */
  readonly endpoints: readonly string[];
  /** Prefix of every cache key of this arm, e.g. `v2-cnr:`; never shared between arms (CA-1, CA-3). */
  readonly cachePrefix: string;
  /** Pins this arm serves; absent: it has no schema lock and takes whatever the other rules send it. */
  readonly serves?: Serves;
  /** For events and metrics alone: no decision reads it. */
  readonly facts?: ArmFacts;
}

/**
 * How a data plane finds the unit. Headers are tried in order; the first present one wins. A header counts only when
 * `trustedHeaders` lists it, because a raw client header would let anybody choose an arm.
 * @source definitions.md §9
 */
export interface UnitIdentity {
  readonly trustedHeaders: readonly string[];
  readonly stickyBy: readonly string[];
}

/** How a unit keeps its arm. */
export interface Stickiness {
  readonly hash: "v1";
  readonly seed: number;
  /** Lifetime of the visitors' cookie. The hash itself needs none: it keeps units for the whole rollout. */
  readonly ttlMs: number;
  /**
   * Key of what data planes of one service sign for each other, 64 hexadecimal digits: the visitors' cookie and what an
   * edge tells the gateway behind it. Absent in documents from before there was one.
   */
  readonly key?: string;
  /** Name of the cookie by which visitors without a unit are known; absent: they have no unit. */
  readonly cookie?: string;
}

/**
 * The one pointer of a service: everything a data plane needs to route, published by compare-and-set on (epoch, seq).
 * Epoch grows with every flip, promotion and rollback; seq grows within an epoch. Data planes refuse to go backwards.
 */
export interface RoutingDocument {
  /** 2 since documents carry a lease. A data plane and a controller may be one version apart, in either direction. */
  readonly version: 1 | 2;
  readonly service: string;
  readonly epoch: number;
  readonly seq: number;
  /** The rollout that published it; null for the document a gateway starts from. */
  readonly rolloutId: string | null;
  /** `candidate` is null when there is none; its share is then 0. */
  readonly arms: { readonly stable: ArmTarget; readonly candidate: ArmTarget | null };
  /** Share of units on the candidate; stable has the rest of 10 000. */
  readonly candidateBp: Bp;
  /** Seed of bucket hash v1: first 4 bytes, big endian, of sha256(rollout salt), as u32 (definitions.md §7). */
  readonly sticky: Stickiness;
  readonly identity: UnitIdentity;
  /** Units that may choose their arm with `x-exp`; the candidate has the others of them from its first share on. */
  readonly allow: readonly string[];
  /** Arms closed by a kill switch or a failed gate: no share, pin, allow-list or stickiness selects them (I4). */
  readonly closed: readonly ServingArm[];
  /** How long running requests of a replaced target may go on before they are cut. */
  readonly drainMs: number;
  readonly issuedAt: EpochMs;
  /** How evidence tells users apart; absent: not at all. A data plane of the version before refuses it. */
  readonly segments?: readonly SegmentSource[];
  /** The candidate answers copies and no user; absent: no copies. A plane of the version before refuses it. */
  readonly shadow?: ShadowOrder;
  /** What gates ask of answers, by name; absent: nothing is looked at. Refused by the version before as well. */
  readonly signals?: readonly string[];
  /** Where the service stands more than once; absent: once. Refused by the version before as well. */
  readonly regions?: Regions;
  // From here on: all present in version 2, all absent in version 1.
  /** Identity of the store that numbered the document; null for the one a data plane starts from. */
  readonly store?: string | null;
  /** Reserved: null, because one document is for all regions and each data plane reads its own part of it. */
  readonly region?: null;
  /** The candidate is provisional: it has users only while the data plane holds a running lease of this length. */
  readonly lease?: { readonly ms: number } | null;
  /** What a person ordered last, `rollout/generation`: an override at a data plane ends when it changes. */
  readonly override?: string | null;
  /** Reserved: when the document ends by itself; null for never. Data planes of this version take only null. */
  readonly end?: null;
  /** Name of the key, and its signature over the canonical text of everything else; null where nothing is signed. */
  readonly kid?: string | null;
  readonly signature?: string | null;
  /** How the keys before this one handed over to it, oldest first; absent while there was only one. */
  readonly succession?: readonly Succession[];
}

/** Newest version of routing documents that this code writes and reads. */
export const DOCUMENT_VERSION = 2;
/** Header in which a data plane and its controller tell each other their version; without it the other one is at 1. */
export const VERSION_HEADER = "sluice-version";

/** Fields of version 2 for a document with nothing to say in them. */
export const NO_TERMS = {
  store: null,
  region: null,
  lease: null,
  override: null,
  end: null,
  kid: null,
  signature: null,
} as const;

/** What only documents of version 2 may have. */
const LATER_FIELDS: readonly string[] = ["segments", "shadow", "signals", "regions", "succession"];

/** Bounds of a lease in milliseconds; the upper one is also the longest that a planned stop may announce. */
export const LEASE_LIMITS = { minMs: 1_000, maxMs: 600_000 } as const;

/** Whether the document gives users to an arm that may have them only under a lease (definitions.md §11). */
export function isProvisional({ lease, arms, closed }: RoutingDocument): boolean {
  const isCandidateOpen = arms.candidate !== null && !closed.includes("candidate");
  return (lease ?? null) !== null && isCandidateOpen && !closed.includes("stable");
}

/**
 * The document as a data plane of an older version reads it: the same routing, without what that version cannot say.
 */
export function renderDocument(document: RoutingDocument, version: number): RoutingDocument {
  if (version >= 2 || document.version === 1) return document;
  const isTerm = (field: string) => Object.hasOwn(NO_TERMS, field) || LATER_FIELDS.includes(field);
  const common = Object.entries(document).filter(([field]) => !isTerm(field));
  const { hash, seed, ttlMs } = document.sticky;
  const plain = (target: ArmTarget): ArmTarget => {
    const { facts: _, ...plainly } = target;
    return plainly;
  };
  const { stable, candidate } = document.arms;
  return {
    ...(Object.fromEntries(common) as unknown as RoutingDocument),
    version: 1,
    arms: { stable: plain(stable), candidate: candidate === null ? null : plain(candidate) },
    sticky: { hash, seed, ttlMs },
  };
}

/** Sizes a document may not exceed, at publish and at the data plane (a refused document leaves the last good one). */
export const DOCUMENT_LIMITS = { bytes: 262_144, endpoints: 64, allow: 10_000, headers: 16, signals: 64 } as const;

/** True when `next` is newer than `current`: a higher epoch, or the same epoch and a higher seq. */
export function isNewer(next: Pick<RoutingDocument, "epoch" | "seq">, current: Pick<RoutingDocument, "epoch" | "seq">) {
  return next.epoch > current.epoch || (next.epoch === current.epoch && next.seq > current.seq);
}
