import type { ResourcePlace } from "../cutover/resources.ts";
import type { Bp } from "../unit.ts";
import type { DrillFault } from "./fault.ts";
import type { LiveCheck, PostCheck, PreCheck } from "./checks.ts";

/** One region, as the controller reaches it beside traffic. */
export interface DrillRegion {
  readonly name: string;
  /** Where it answers users; data planes get its origin and path. */
  readonly url: string;
  readonly healthUrl: string;
  /** Other regions, the nearest first. */
  readonly nearest: readonly string[];
  readonly queue: (ResourcePlace & { readonly queue: string; readonly consumer: string }) | null;
  readonly cache: (ResourcePlace & { readonly namespace: string }) | null;
  /** Called with POST on the way home; it answers 2xx when it is done. */
  readonly rebuildUrl: string | null;
}

/** Bounds that checks and steps are held against. @source page 004, acceptance targets */
export interface DrillLimits {
  /** p95 of the region that serves, against the time before the drill, as a ratio. */
  readonly p95Ratio: number;
  /** Share of failed requests. */
  readonly errorShare: number;
  /** Messages that may wait in a queue. */
  readonly backlog: number;
  /** Hot keys that are compared. */
  readonly hotKeys: number;
}

/** How long each part of a drill may take, and how long it is looked at. */
export interface DrillTimes {
  /** From the decision until effects are begun in the surviving region; then it is given up. @source DL-6 */
  readonly cutoverMs: number;
  /** How long each step may be tried again. */
  readonly stepWithinMs: number;
  /** How long users are served by the surviving region under its checks. */
  readonly observeMs: number;
  /** How long a region may take to build its index again. */
  readonly rebuildMs: number;
  /** How long each share of the way home is held under its checks. */
  readonly holdMs: number;
}

/** A rehearsed failover: a region is left, another one takes its users and writes, and both go back by checks. */
export interface DrillPlan {
  readonly drillId: string;
  readonly generation: number;
  readonly documentDigest: string;
  readonly service: string;
  readonly regions: readonly DrillRegion[];
  readonly evacuate: string;
  readonly survivor: string;
  readonly routing: { readonly mode: "latency"; readonly stickMs: number; readonly hysteresisMs: number };
  readonly freezesWrites: boolean;
  readonly checks: {
    readonly pre: readonly PreCheck[];
    readonly live: readonly LiveCheck[];
    readonly post: readonly PostCheck[];
  };
  readonly probe: {
    readonly k: number;
    /** Questions that are asked of both regions and compared. */
    readonly dualhomeK: number;
    readonly deltaSRisk: number;
    readonly coverageMin: number;
    /** Absolute path of the questions; null: no check asks any. */
    readonly set: string | null;
  };
  readonly webhook: { readonly emitFrom: string; readonly dedupeKey: string } | null;
  readonly home: {
    readonly rebuild: boolean;
    readonly purgeCache: boolean;
    /** Shares of the evacuated region's own users, growing, the last one all of them. */
    readonly weightsBp: readonly Bp[];
  };
  readonly limits: DrillLimits;
  readonly times: DrillTimes;
  readonly permission: DrillPermission;
  /** What is broken in the region on purpose; absent or null: nothing, and no type was named. */
  readonly fault?: DrillFault | null;
  /** Fencing tokens of its orders lie above it. Given when it is accepted. */
  readonly fromEpoch: number;
}

/** How it was before anything moved; null where nothing said so. */
export interface DrillBaseline {
  /** Of everybody's warm answers, in milliseconds. */
  readonly p95Ms: number | null;
  /** Messages that waited in the queue of the region that takes over. */
  readonly backlog: number | null;
}

/** A plan with how it was before anything moved: what its orders are carried out by. */
export interface DrillInForce extends DrillPlan {
  readonly baseline: DrillBaseline;
}

/** Who and what lets a drill begin. */
export interface DrillPermission {
  /** Persons who have to say yes, each by a token of their own; 0: whoever runs it. */
  readonly approvals: 0 | 1 | 2;
  /** Largest part of a service's regions that may be out of service at once, in basis points. */
  readonly blastRadiusBp: Bp;
  /** Times of day and week in which none begins, each a cron pattern and how long it lasts from there. */
  readonly freezeWindows: readonly { readonly cron: string; readonly forMs: number }[];
  /** When it begins by itself, as a cron pattern; null: when a person runs it. */
  readonly schedule: string | null;
}

/** A region of the plan by its name. */
export function regionOf({ regions }: Pick<DrillPlan, "regions">, name: string): DrillRegion {
  const found = regions.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no region ${name}; the plan has been checked, so this is our bug`);
  return found;
}

/** Regions that are out of service at once, in basis points of all of them. */
export function blastRadius({ regions }: { readonly regions: readonly unknown[] }): number {
  return Math.round(10_000 / regions.length);
}
