import { describe, it } from "vitest";
import type { FenceRecord } from "../core/fence/record.ts";
import { fenceConformance, type FenceWorld } from "../testing/fence-suite.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { memoryFence } from "./memory-store.ts";

function world(): FenceWorld {
  const [clock, records] = [manualClock(), new Map<string, FenceRecord>()];
  return { open: () => memoryFence(clock, records), advance: clock.advance, prefix: "m", leaseMs: 200 };
}

describe("fence/memory", () => {
  fenceConformance(world, it);
});
