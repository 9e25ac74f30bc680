import { eventGate } from "./event-gate.ts";

/** An effect applied a second time. @source decision-policy.md "Hard rules"; requirements.md GQ-29 */
export const duplicateEffect = eventGate({
  gate: "duplicate-effect",
  condition: "duplicate_effect",
  counter: "duplicateEffects",
  what: "effects applied twice",
  advice: {
    means: "applied an effect twice",
    lookAt: "the effect key and the fence of that path; reconcile the receipts",
  },
});

/** A write that was accepted and is gone. @source requirements.md QJ-12 */
export const writeLoss = eventGate({
  gate: "write-loss",
  condition: "write_loss",
  counter: "lostWrites",
  what: "accepted writes lost",
  advice: { means: "lost writes it had accepted", lookAt: "the outbox and its dead letters; replay them" },
});

/** A user who was answered by the other arm. @source requirements.md RT-8 */
export const stickyViolation = eventGate({
  gate: "sticky-violation",
  condition: "sticky_violation",
  counter: "stickyViolations",
  what: "requests answered by the wrong arm for their user",
  advice: {
    means: "got users who belong to the other arm",
    lookAt: "what routes before the gateway; pin by cookie or header",
  },
});

/** A cache entry that one arm wrote and the other one read. @source requirements.md CA-8, CA-11 */
export const cacheCollision = eventGate({
  gate: "cache-collision",
  condition: "cache_collision",
  counter: "cacheCollisions",
  eventField: "cache",
  what: "cache entries shared between the arms",
  advice: {
    means: "shares cache entries with stable",
    lookAt: "the cache prefixes of both arms; purge the candidate's",
  },
});

/** A tool called again and again with the same arguments. @source requirements.md TE-16, RB-3 */
export const toolLoop = eventGate({
  gate: "tool-loop",
  condition: "tool_loop",
  counter: "toolLoops",
  eventField: "tool",
  what: "tool loops",
  advice: {
    means: "calls the same tool again and again",
    lookAt: "the tool's schema and its timeouts; freeze both",
  },
});
