import type { ServingArm } from "../core/arm.ts";
import type { ArmFacts } from "../core/routing/arm-facts.ts";
import type { ArmTarget, RoutingDocument } from "../core/routing/document.ts";
import { answerLabels, regionLabels, requestLabels } from "../core/routing/headers.ts";
import type { RouteTable, RouteTarget } from "../core/routing/route.ts";
import { SegmentReader } from "../core/routing/segments.ts";
import { Decider } from "../plane/decider.ts";
import { RequestHeaderReader } from "./request-headers.ts";
import { type ShadowRoute, shadowRoute } from "./shadow-route.ts";
import type { ArmUpstreams, UpstreamSet } from "./upstream.ts";

/** One arm of one document, with everything that is the same for all its requests. */
export interface ArmRoute {
  readonly arm: ServingArm;
  readonly releaseId: string;
  readonly cachePrefix: string;
  readonly facts: ArmFacts;
  /** Whether who wrote a cache entry, by his own word, is the other arm. */
  readonly isOther: (writer: string) => boolean;
  /** Whether some gate asks what answers are; otherwise nobody looks. */
  readonly asksSignals: boolean;
  readonly upstreams: ArmUpstreams;
  /** An endpoint has a path of its own, which a request's path must not lead out of. */
  readonly hasPrefix: boolean;
  /** Name, value, … for the service. */
  readonly requestLabels: readonly string[];
  /** Name, value, … for the client. */
  readonly answerLabels: readonly string[];
}

/** A document prepared for traffic. Immutable: a change is a new plan, and requests in flight keep theirs. */
export interface RoutingPlan {
  readonly table: RouteTable;
  readonly reader: RequestHeaderReader;
  readonly decider: Decider;
  /** Null where the document tells no users apart. */
  readonly segments: SegmentReader | null;
  readonly stable: ArmRoute;
  /** Null when the document has no candidate. */
  readonly candidate: ArmRoute | null;
  /** Where copies of stable's requests go; null while there are none. */
  readonly shadow: ShadowRoute | null;
}

/** What a plan leaves to chance. */
interface Chance {
  /** 32 hexadecimal digits. */
  readonly visitorId: () => string;
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
}

/** Prepares a table for the gateway; endpoints it shares with earlier ones keep their connections. */
export function planFor(
  table: RouteTable,
  upstreams: UpstreamSet,
  headerCountMax: number,
  chance: Chance,
): RoutingPlan {
  const { document } = table;
  const { stable, candidate } = document.arms;
  const route = candidate === null ? null : armRoute(table, { ...candidate, arm: "candidate" }, stable, upstreams);
  return {
    table,
    reader: new RequestHeaderReader(document.identity, headerCountMax),
    decider: new Decider(table, chance.visitorId),
    segments: document.segments === undefined ? null : new SegmentReader(document.segments, document.sticky.seed),
    stable: armRoute(table, { ...stable, arm: "stable" }, candidate, upstreams),
    candidate: route,
    shadow: shadowRoute(table, route, chance.uniform),
  };
}

/** Every endpoint a document names. */
export function endpointsOf(document: RoutingDocument): ReadonlySet<string> {
  return new Set([...document.arms.stable.endpoints, ...(document.arms.candidate?.endpoints ?? [])]);
}

function armRoute(table: RouteTable, target: RouteTarget, other: ArmTarget | null, upstreams: UpstreamSet): ArmRoute {
  const { arm, releaseId, cachePrefix } = target;
  // By its release or its namespace; an arm's name means another release after a promotion.
  const others: ReadonlySet<string> = new Set(
    other === null
      ? []
      : [other.releaseId, other.cachePrefix].filter((name) => name !== releaseId && name !== cachePrefix),
  );
  const ofArm = upstreams.armOf(target.endpoints);
  return {
    arm,
    releaseId,
    cachePrefix,
    facts: target.facts ?? {},
    isOther: (writer) => others.has(writer),
    asksSignals: table.document.signals !== undefined,
    upstreams: ofArm,
    hasPrefix: ofArm.upstreams.some(({ prefix }) => prefix !== ""),
    requestLabels: requestLabels(arm, cachePrefix),
    answerLabels: [...answerLabels(table, arm), ...regionLabels(table.places?.[arm])],
  };
}
