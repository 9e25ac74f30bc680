import { z } from "zod";
import { DRILL_TYPES, SKEW_FIELDS } from "../core/drill/fault.ts";
import { LIVE_CHECKS, POST_CHECKS, PRE_CHECKS } from "../core/drill/checks.ts";
import { REGION_LIMITS, REGION_NAME } from "../core/routing/regions.ts";
import { duration, name, url } from "./rollout-schema.ts";

const regionName = z
  .string()
  .regex(REGION_NAME, "expected lower-case letters, digits and hyphens, such as us-east")
  .max(REGION_LIMITS.name);

/** A check that is asked twice says nothing more. */
const checks = <const T extends readonly [string, ...string[]]>(names: T) => z.array(z.enum(names)).max(names.length);

/**
 * The plan of a drill exactly as page 004 has it, JSON or YAML, in its spelling. What it leaves out has the page's own
 * value.
 * @source page 004, "Copy-paste drill plan"
 */
export const drillPlanSchema = z.strictObject({
  regions: z.array(regionName).min(2).max(REGION_LIMITS.count),
  evacuate: regionName,
  promote_survivor: regionName,
  routing: z
    .strictObject({
      mode: z.enum(["latency"]).default("latency"),
      stick_minutes: z.number().min(0).max(1_440).default(15),
      hysteresis_s: z.number().min(0).max(86_400).default(30),
    })
    .prefault({}),
  freeze_writes_on_followers: z.boolean().default(true),
  checks: z
    .strictObject({
      pre: checks(PRE_CHECKS).default([...PRE_CHECKS]),
      live: checks(LIVE_CHECKS).default([...LIVE_CHECKS]),
      post: checks(POST_CHECKS).default([...POST_CHECKS]),
    })
    .prefault({}),
  rag_probe: z
    .strictObject({
      k: z.int().min(1).max(1_000).default(10),
      dualhome_k: z.int().min(1).max(10_000).default(5),
      delta_s_risk: z.number().min(0).max(2).default(0.6),
      coverage_min: z.number().min(0).max(1).default(0.7),
    })
    .prefault({}),
  webhook_policy: z.strictObject({ emit_from: regionName, dedupe_key: z.string().min(1).max(512) }).optional(),
  return_to_home: z
    .strictObject({
      rebuild_follower: z.boolean().default(true),
      purge_cache: z.boolean().default(true),
      gradual_weights: z.array(z.number().gt(0).max(100)).min(1).max(32).default([10, 30, 60, 100]),
    })
    .prefault({}),
});

export type DrillPlanDocument = z.output<typeof drillPlanSchema>;

const resource = {
  driver: z.string().min(1).max(64),
  url: z.string().min(1).max(2_048),
  secretFile: z.string().startsWith("/").max(1_024).optional(),
};

/** Where one region is, beside the plan. */
const place = z.strictObject({
  url,
  health: url,
  /** Other regions, the nearest first; by default in the order of the plan. */
  nearest: z.array(regionName).max(REGION_LIMITS.count).optional(),
  queue: z.strictObject({ ...resource, queue: z.string().min(1), consumer: z.string().min(1) }).optional(),
  cache: z.strictObject({ ...resource, namespace: z.string().min(1) }).optional(),
  /** Called with POST on the way home; it answers 2xx when the index is built again. */
  rebuild: url.optional(),
  /** Where the agent is asked that breaks something here on purpose, such as `sluice drill fault-proxy`. */
  faults: url.optional(),
});

/** A drill with everything the controller needs to run it. */
export const drillSchema = z.strictObject({
  apiVersion: z.enum(["sluice/v1"]),
  kind: z.enum(["Drill"]),
  metadata: z.strictObject({ name }),
  spec: z.strictObject({
    service: name,
    /** By the letters of page 004: what is broken in the evacuated region. Left out: nothing, as with E. */
    type: z.enum(DRILL_TYPES).optional(),
    /** How much of it. */
    fault: z
      .strictObject({
        delay: duration.default(300),
        errorPercent: z.number().min(0).max(100).default(0),
        skew: z.enum(SKEW_FIELDS).default("METRIC"),
      })
      .prefault({}),
    places: z.record(regionName, place),
    drill: drillPlanSchema,
    probes: z.strictObject({ set: z.string().min(1) }).optional(),
    limits: z
      .strictObject({
        p95Ratio: z.number().gt(1).max(100).default(1.25),
        errorPercent: z.number().gt(0).max(100).default(1),
        backlog: z.int().min(0).default(100),
        hotKeys: z.int().min(1).max(1_000).default(20),
      })
      .prefault({}),
    times: z
      .strictObject({
        cutover: duration.default(30_000),
        stepWithin: duration.default(20_000),
        observe: duration.default(60_000),
        hold: duration.default(60_000),
        rebuild: duration.default(600_000),
      })
      .prefault({}),
    /** Persons beside the one who runs it that have to say yes. */
    approvals: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(0),
    /** Largest part of the regions that may be out of service at once. */
    blastRadiusPercent: z.number().gt(0).max(100).default(50),
    /** None begins while one of these lasts: when it starts, as a cron pattern in UTC, and for how long. */
    freezeWindows: z
      .array(z.strictObject({ cron: z.string().max(100), for: duration }))
      .max(32)
      .default([]),
    /** When it runs by itself, as a cron pattern in UTC. */
    schedule: z.string().max(100).optional(),
  }),
});

export type DrillDocument = z.output<typeof drillSchema>;
