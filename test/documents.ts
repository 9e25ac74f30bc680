import type { RoutingDocument } from "../src/core/routing/document.ts";
import { bp } from "../src/core/unit.ts";
import { T0 } from "./builders.ts";

/** A routing document at 10 %, both arms open. */
export function aDocument(over: Partial<RoutingDocument> = {}): RoutingDocument {
  return {
    version: 1,
    service: "support-rag",
    epoch: 1,
    seq: 0,
    rolloutId: "support-rag-7",
    arms: {
      stable: { releaseId: "r-stable", endpoints: ["http://127.0.0.1:4001"], cachePrefix: "a1:" },
      candidate: { releaseId: "r-candidate", endpoints: ["http://127.0.0.1:4002"], cachePrefix: "b2:" },
    },
    candidateBp: bp(1_000),
    sticky: { hash: "v1", seed: 7, ttlMs: 86_400_000 },
    identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
    allow: [],
    closed: [],
    drainMs: 60_000,
    issuedAt: T0,
    ...over,
  };
}
