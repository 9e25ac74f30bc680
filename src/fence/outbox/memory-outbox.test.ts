import { describe, it } from "vitest";
import { manualClock } from "../../testing/manual-clock.ts";
import { outboxConformance } from "../../testing/outbox-suite.ts";
import { memoryOutbox } from "./memory-outbox.ts";

describe("the outbox in memory", () => {
  outboxConformance(async () => {
    const [clock, leaseMs, retentionMs] = [manualClock(), 300, 400];
    const { outbox, inbox, transact } = memoryOutbox(clock, retentionMs);
    return { open: () => outbox, inbox, transact, advance: clock.advance, wallMs: clock.wallMs, leaseMs, retentionMs };
  }, it);
});
