import { z } from "zod";
import type { Stage } from "../../core/stage/plan.ts";
import { count, type EveryOf, share, shareBp, type Wire } from "../../contract/wire.ts";

const change = z.strictObject({
  kind: z.literal("route"),
  service: z.string(),
  from: z.string().describe("release that serves today"),
  to: z.string(),
});

const gate = z.strictObject({
  gate: z.string(),
  needs_samples: z
    .number()
    .nonnegative()
    .nullable()
    .describe("candidate requests until a healthy candidate is proven; null when it never is"),
  expected_s: z.number().nonnegative().nullable(),
  feasible: z.boolean().describe("false when the stage's cap ends before the proof"),
  detectable: z.string().describe("smallest harm the gate sees within the hold"),
  false_stop: z
    .number()
    .nullable()
    .describe("chance that one look at a healthy candidate stops it, for a literal limit; else null"),
});

const stage = z.strictObject({
  kind: z.enum({ probes: "probes", shadow: "shadow", traffic: "traffic", watch: "watch" } satisfies EveryOf<
    Stage["kind"]
  >),
  share_bp: shareBp,
  hold_s: z.number().nonnegative(),
  gates: z.array(gate),
  worst_rollback_s: z.number().nonnegative(),
  why: z.string().nullable().describe("why a pace would choose this share; null for a step of a ladder"),
});

const requests = count.nullable();

const rollout = z.strictObject({
  alpha_stop: z.number().nonnegative().describe("promised probability of stopping a healthy candidate"),
  time_to_100_s: z
    .strictObject({ expected: z.number().nonnegative(), within: z.number().nonnegative() })
    .nullable()
    .describe("null when a healthy candidate never gets there without a person"),
  candidate_requests_exposed: z
    .strictObject({ dead: requests, errors_4x: requests, slower_40: requests })
    .describe("before such a candidate is stopped at the first share; null when it is not seen there"),
});

const seenByUsers = z.strictObject({
  share: share.describe("of the users"),
  users: count.describe("users on the candidate"),
  failing_to_stop: count
    .nullable()
    .describe("failing users that stop it, with none on stable; null: there are too few"),
  least_part: share.describe("smallest part of all users of which at least one is on the candidate, with 95 %"),
});

const probes = z.strictObject({
  questions: count,
  answerable: count,
  requests_an_arm: count.describe("requests to each arm in one run of the whole set"),
  gates: z.array(z.string()).describe("gates over answers"),
  detectable_coverage_drop: z.number().nonnegative().nullable().describe("drop of coverage seen with power 0.8"),
});

const identity = z.strictObject({
  is_checked: z.boolean().describe("false when an arm has no health endpoint"),
  without_health: z.array(z.enum(["stable", "candidate"])),
  stated_fields: z
    .array(z.string())
    .nullable()
    .describe("fields that healthMap reads; null for all, or when nothing is checked"),
});

const warning = z.strictObject({
  code: z
    .enum(["E201", "E202", "W201", "W202", "W203", "W204", "W205"])
    .describe(
      "E201, W201: a gate cannot decide before the cap; E202: a bound on harm cannot be kept at this traffic; W202: a literal limit stops healthy candidates; W203: without a lease a rollback cannot be guaranteed; W204: a metric's source is later than its maxAge; W205: margins so wide that gross harm may reach everybody",
    ),
  at: z.strictObject({ line: count, column: count }).describe("place in the document, 1-based"),
  message: z.string(),
  fix: z.string(),
});

/** The one object `sluice plan --json` prints. @source contracts.md "sluice validate|plan|apply" */
export const planAnswer = z.strictObject({
  changes: z.array(change),
  stages: z.array(stage),
  rollout,
  rollback: z.strictObject({
    lease_s: z
      .number()
      .positive()
      .nullable()
      .describe(
        "every user is back on stable this long after the order at the latest, even with a gateway cut off; null: not guaranteed",
      ),
    stable_carries_all: z.literal(true).describe("until promotion stable must be able to serve everybody"),
  }),
  seen_by_users: z.array(seenByUsers).nullable().describe("by share; null when the number of users is not given"),
  probes: probes.nullable().describe("null when the document has none"),
  identity,
  warnings: z.array(warning),
  assumed: z.strictObject({
    rps: z.number().nonnegative(),
    users: count.nullable(),
    failure_rate: share,
    latency_sigma: z.number().nonnegative(),
    latency_peaks: z
      .array(z.strictObject({ share, median_ms: z.number().positive(), sigma: z.number().positive() }))
      .nullable()
      .describe("null: one peak of that spread"),
    coverage_deviation: z.number().nonnegative().describe("of one question's paired difference"),
  }),
});

export type PlanAnswer = Wire<typeof planAnswer>;
export type PlanStage = PlanAnswer["stages"][number];
export type PlanWarning = PlanAnswer["warnings"][number];
