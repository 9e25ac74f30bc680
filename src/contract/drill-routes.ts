import { drillApplied, drillCommanded, drillJournal, drillsAnswer, drillStatus, drillWordBody } from "./drills.ts";
import { applyBody } from "./rollouts.ts";
import type { Route } from "./route.ts";

const word = {
  right: "operate",
  isKeyed: true,
  body: drillWordBody,
  answers: { 200: { json: drillCommanded } },
  refuses: ["not-found"],
} as const;

/** Requests about drills, by method and path. */
export const DRILL_ROUTES = {
  "GET /v1/drills": {
    id: "listDrills",
    says: "every drill, in the order in which they were asked for",
    right: "read",
    answers: { 200: { json: drillsAnswer } },
    refuses: [],
  },
  "POST /v1/drills": {
    id: "applyDrill",
    says: "accepts a document of kind Drill: 201 when it begins or waits, 200 when it is the one from before",
    right: "operate",
    isKeyed: true,
    body: applyBody,
    answers: { 200: { json: drillApplied }, 201: { json: drillApplied } },
    refuses: ["invalid-document", "conflict"],
  },
  "GET /v1/drills/{id}": {
    id: "getDrill",
    says: "where a drill stands, step by step",
    right: "read",
    answers: { 200: { json: drillStatus } },
    refuses: ["not-found"],
  },
  "GET /v1/drills/{id}/journal": {
    id: "getDrillJournal",
    says: "every decision of a drill, chained and signed",
    right: "read",
    answers: { 200: { json: drillJournal } },
    refuses: ["not-found"],
  },
  "POST /v1/drills/{id}/abort": {
    ...word,
    id: "abortDrill",
    says: "ends a drill: users come home by its checks; on the way home they are evacuated again",
  },
  "POST /v1/drills/{id}/home": { ...word, id: "returnDrill", says: "lets a region that stayed evacuated come home" },
  "POST /v1/drills/{id}/approve": { ...word, id: "approveDrill", says: "a person beside who asked for it says yes" },
} as const satisfies Readonly<Record<string, Route>>;
