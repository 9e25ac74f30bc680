import { describe, it } from "vitest";
import { inboxConformance } from "../../testing/inbox-suite.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { emptyWebhookInbox, memoryWebhookInbox } from "./memory-inbox.ts";

describe("memoryWebhookInbox", () => {
  inboxConformance(() => {
    const [clock, state] = [manualClock(), emptyWebhookInbox()];
    return { open: () => memoryWebhookInbox(clock, state), advance: clock.advance, prefix: "w", unitMs: 400 };
  }, it);
});
