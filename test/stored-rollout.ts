import { readFileSync } from "node:fs";
import type { StoredEntry, StoredState } from "../src/core/rollout/stored-form.ts";
import type { Observations } from "../src/core/observe/observations.ts";
import type { RolloutPlan } from "../src/core/stage/plan.ts";

/** What the version before wrote of one rollout, as rows of a database: recorded, never edited. */
export interface StoredBefore {
  readonly plan: RolloutPlan;
  readonly rows: readonly {
    /** Entries that were in the journal by then. */
    readonly journal: number;
    readonly version: number;
    readonly created_at: number;
    readonly rollout: StoredState;
    readonly observations: Observations;
  }[];
  readonly journal: readonly StoredEntry[];
}

const FILE = new URL("vectors/stored-rollout.v1.json", import.meta.url);

export function storedBefore(): StoredBefore {
  return JSON.parse(readFileSync(FILE, "utf8")) as StoredBefore;
}
