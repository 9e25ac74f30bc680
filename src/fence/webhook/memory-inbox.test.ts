import { describe, it } from "vitest";
import { inboxConformance } from "../../testing/inbox-suite.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { emptyInbox, memoryInbox } from "./memory-inbox.ts";

describe("memoryInbox", () => {
  inboxConformance(() => {
    const [clock, state] = [manualClock(), emptyInbox()];
    return { open: () => memoryInbox(clock, state), advance: clock.advance, prefix: "w", unitMs: 400 };
  }, it);
});
