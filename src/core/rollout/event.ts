import type { EpochMs } from "../unit.ts";
import type { Verdict } from "../verdict.ts";
import type { PaceChoice } from "../pace/pace-choice.ts";
import type { OrderDone, OrderFailed } from "../process/order.ts";

export type Command = "promote" | "pause" | "resume" | "abort" | "rollback";

/** Everything that can happen to a rollout. `at` is given by the host; core reads no clock. */
export type RolloutEvent =
  | { readonly kind: "started"; readonly at: EpochMs }
  | { readonly kind: "tick"; readonly at: EpochMs }
  | {
      /** A controller took the rollout up again; nobody decided anything since `lastKnownAt` at the earliest. */
      readonly kind: "controller-restarted";
      readonly at: EpochMs;
      readonly lastKnownAt: EpochMs;
      /** How long data planes kept the candidate's share without a controller; null: for as long as it was away. */
      readonly leaseMs: number | null;
      /** Until when the process before it is known to have lived, by its clock; absent in older journals. */
      readonly livedUntil?: EpochMs;
    }
  | {
      /** The controller's wall clock went another way than its monotonic one, forward or (negative) back. */
      readonly kind: "clock-moved";
      readonly at: EpochMs;
      readonly byMs: number;
    }
  | {
      /** The gates of the stage looked at all evidence so far. */
      readonly kind: "judged";
      readonly at: EpochMs;
      readonly stageIndex: number;
      readonly verdicts: readonly Verdict[];
      /** Whether the candidate was seen to answer anybody while all traffic was its own; absent: it was not. */
      readonly hasAnsweredAlone?: boolean;
      /** The share that comes next in a paced rollout; absent where none is chosen. */
      readonly choice?: PaceChoice;
    }
  | OrderDone
  | OrderFailed
  | {
      readonly kind: "commanded";
      readonly at: EpochMs;
      readonly command: Command;
      /** Promote straight to 100 %. Ignored by every other command. */
      readonly full: boolean;
      readonly by: string;
      readonly reason: string;
    };
