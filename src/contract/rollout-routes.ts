import { journalAnswer, verdictsAnswer } from "./journal.ts";
import {
  appliedAnswer,
  applyBody,
  commandAnswer,
  commandBody,
  pruneAnswer,
  pruneBody,
  rolloutsAnswer,
  unitBody,
  unitOrSegmentAnswer,
} from "./rollouts.ts";
import type { Route } from "./route.ts";
import { statusAnswer } from "./status.ts";

/** Why a document that was sent may not be accepted. */
export const UNACCEPTED = [
  "invalid-document",
  "not-found",
  "conflict",
  "generation",
  "no-gateway",
  "target-unreachable",
  "probes-unfit",
  "unknown-driver",
] as const;

const command = {
  right: "operate",
  isKeyed: true,
  body: commandBody,
  answers: { 200: { json: commandAnswer } },
  refuses: ["not-found", "generation", "no-effect", "superseded"],
} as const satisfies Omit<Route, "id" | "says">;

/** Requests about rollouts, by method and path. */
export const ROLLOUT_ROUTES = {
  "GET /v1/rollouts": {
    id: "listRollouts",
    says: "every rollout, running ones first, then the newest end first",
    right: "read",
    answers: { 200: { json: rolloutsAnswer } },
    refuses: [],
  },
  "POST /v1/rollouts": {
    id: "applyRollout",
    says: "accepts a document: 201 when it begins a generation, 200 when it is the one from before",
    right: "operate",
    isKeyed: true,
    body: applyBody,
    answers: { 200: { json: appliedAnswer }, 201: { json: appliedAnswer } },
    refuses: UNACCEPTED,
  },
  "GET /v1/rollouts/{id}": {
    id: "getRollout",
    says: "where a rollout stands and what comes next",
    right: "read",
    answers: { 200: { json: statusAnswer } },
    refuses: ["not-found"],
  },
  "POST /v1/rollouts/{id}/promote": {
    ...command,
    id: "promoteRollout",
    says: "skips the rest of the hold, never a failed gate; full: to 100 %; despite: gates that prove nothing yet",
  },
  "POST /v1/rollouts/{id}/pause": { ...command, id: "pauseRollout", says: "holds the share; fuses still act" },
  "POST /v1/rollouts/{id}/resume": { ...command, id: "resumeRollout", says: "goes on after a pause" },
  "POST /v1/rollouts/{id}/abort": { ...command, id: "abortRollout", says: "ends a running rollout at stable" },
  "POST /v1/rollouts/{id}/rollback": {
    ...command,
    id: "rollbackRollout",
    says: "sends everybody to stable, after a promotion too",
  },
  "POST /v1/rollouts/{id}/retry": {
    id: "retryRollout",
    says: "the same document as a new generation; with a document in the body only if it did not change",
    right: "operate",
    isKeyed: true,
    body: applyBody.partial(),
    answers: { 200: { json: appliedAnswer }, 201: { json: appliedAnswer } },
    refuses: UNACCEPTED,
  },
  "POST /v1/rollouts/{id}/unit": {
    id: "describeUnit",
    says: "what messages call a known user, or a known value of a segment, and what is known of it",
    right: "operate",
    body: unitBody,
    answers: { 200: { json: unitOrSegmentAnswer } },
    refuses: ["not-found", "bad-request", "too-large"],
  },
  "GET /v1/rollouts/{id}/journal": {
    id: "getJournal",
    says: "every decision of a rollout and what it was made on",
    right: "read",
    answers: { 200: { json: journalAnswer } },
    refuses: ["not-found"],
  },
  "GET /v1/verdicts/{id}": {
    id: "getVerdicts",
    says: "the latest verdicts of a rollout and its probe reports, oldest first",
    right: "read",
    answers: { 200: { json: verdictsAnswer } },
    refuses: ["not-found"],
  },
  "POST /v1/prune": {
    id: "prune",
    says: "removes rollouts that ended long ago, with their journals and reports",
    right: "tokens",
    isKeyed: true,
    body: pruneBody,
    answers: { 200: { json: pruneAnswer } },
    refuses: [],
  },
} as const satisfies Readonly<Record<string, Route>>;
