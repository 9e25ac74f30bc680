import type { Bp } from "../unit.ts";
import type { RolloutEvent } from "./event.ts";
import type { RolloutOrder } from "./order.ts";
import type { Phase, SCHEMA } from "./rollout.ts";

/** One decision, written before the work it asks for begins. `index` is contiguous from 0. */
export interface JournalEntry {
  readonly schema: typeof SCHEMA;
  readonly rolloutId: string;
  readonly index: number;
  readonly event: RolloutEvent;
  readonly orders: readonly RolloutOrder[];
  /** The state after the event, in short. */
  readonly phase: Phase;
  readonly stageIndex: number;
  readonly candidateBp: Bp;
}
