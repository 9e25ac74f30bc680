import {
  cutoverApplied,
  cutoverCommanded,
  cutoverJournal,
  cutoversAnswer,
  cutoverStatus,
  goBackBody,
  grantAnswer,
  grantBody,
} from "./cutovers.ts";
import { UNACCEPTED } from "./rollout-routes.ts";
import { applyBody } from "./rollouts.ts";
import type { Route } from "./route.ts";

/** Requests about cutovers, by method and path. */
export const CUTOVER_ROUTES = {
  "GET /v1/cutovers": {
    id: "listCutovers",
    says: "every cutover, in the order in which they were begun",
    right: "read",
    answers: { 200: { json: cutoversAnswer } },
    refuses: [],
  },
  "POST /v1/cutovers": {
    id: "applyCutover",
    says: "accepts a document with strategy.blueGreen: 201 when it begins, 200 when it is the one from before",
    right: "operate",
    isKeyed: true,
    body: applyBody,
    answers: { 200: { json: cutoverApplied }, 201: { json: cutoverApplied } },
    refuses: UNACCEPTED,
  },
  "GET /v1/cutovers/{id}": {
    id: "getCutover",
    says: "where a cutover stands, step by step",
    right: "read",
    answers: { 200: { json: cutoverStatus } },
    refuses: ["not-found"],
  },
  "POST /v1/cutovers/{id}/abort": {
    id: "abortCutover",
    says: "takes everything back, from wherever it stands and after its end too",
    right: "operate",
    isKeyed: true,
    body: goBackBody,
    answers: { 200: { json: cutoverCommanded } },
    refuses: ["not-found", "superseded"],
  },
  "GET /v1/cutovers/{id}/journal": {
    id: "getCutoverJournal",
    says: "every decision of a cutover and what it ordered",
    right: "read",
    answers: { 200: { json: cutoverJournal } },
    refuses: ["not-found"],
  },
  "POST /v1/services/{service}/grant": {
    id: "askGrant",
    says: "whether a worker, producer or scheduler may act on the effects of a service, until when, with which token",
    right: "grant",
    body: grantBody,
    answers: { 200: { json: grantAnswer } },
    refuses: ["bad-request", "too-large"],
  },
} as const satisfies Readonly<Record<string, Route>>;
