import { z } from "zod";
import { count, share, type Wire } from "../../contract/wire.ts";

const rate = z.strictObject({ value: share, standard_error: z.number().nonnegative() });
const spread = z.strictObject({ p50: z.number().nonnegative(), p95: z.number().nonnegative() }).nullable();

/** One line of `sluice simulate --json`: what became of one scenario. @source contracts.md "sluice simulate" */
export const simulateAnswer = z.strictObject({
  type: z.literal("scenario"),
  scenario: z.string(),
  says: z.string().describe("how the candidate differs from stable"),
  runs: count,
  false_abort: rate.nullable().describe("null for a harmful candidate"),
  false_promote: rate.nullable().describe("null for a harmless candidate"),
  undecided: rate.describe("runs that neither ended at stable nor at 100 %"),
  time_to_decision_s: spread.describe("until the verdict that stopped it; null when no run was stopped"),
  candidate_requests_exposed: spread,
  time_to_100_s: spread.describe("null when no run got there"),
  causes: z.record(z.string(), count).describe("stops by the gate that caused them"),
});

export type SimulateAnswer = Wire<typeof simulateAnswer>;
