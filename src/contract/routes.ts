import { z } from "zod";
import { keyAnswer, rotateBody, tokenAnswer, tokenBody, tokenMadeAnswer, tokensAnswer } from "./credentials.ts";
import { CUTOVER_ROUTES } from "./cutover-routes.ts";
import { DRILL_ROUTES } from "./drill-routes.ts";
import { sentEvent } from "./events.ts";
import { forgetAnswer, forgetBody, gatewaysAnswer } from "./gateways.ts";
import { ROLLOUT_ROUTES } from "./rollout-routes.ts";
import type { Route } from "./route.ts";
import { routingDocument } from "./routing-document.ts";
import { adoptAnswer, adoptBody, claimAnswer, claimBody, serviceAnswer, servicesAnswer } from "./services.ts";
import { pushAnswer, pushBody } from "./telemetry.ts";

const SPOKEN_VERSION = { "sluice-version": "newest version of routing documents the sender reads; 1 when absent" };

/** Every request that the controller answers, by method and path. */
export const ROUTES = {
  ...ROLLOUT_ROUTES,
  ...CUTOVER_ROUTES,
  ...DRILL_ROUTES,
  "GET /healthz": {
    id: "getHealth",
    says: "that the controller lives",
    right: null,
    answers: { 200: { json: z.strictObject({ ok: z.literal(true) }) } },
    refuses: [],
  },
  "GET /openapi.json": {
    id: "getOpenapi",
    says: "this description; told to everybody, because it says nothing of the installation",
    right: null,
    answers: { 200: { json: z.looseObject({ openapi: z.string() }) } },
    refuses: [],
  },
  "GET /metrics": {
    id: "getMetrics",
    says: "counts of every rollout in the Prometheus text format; without a token where it was started so",
    right: "read",
    answers: { 200: { other: "text/plain" } },
    refuses: [],
  },
  "GET /v1/tokens": {
    id: "listTokens",
    says: "names, scopes and ends of all tokens; never a secret",
    right: "tokens",
    answers: { 200: { json: tokensAnswer } },
    refuses: [],
  },
  "POST /v1/tokens": {
    id: "createToken",
    says: "believes a secret that the sender made, until it expires",
    right: "tokens",
    body: tokenBody,
    answers: { 200: { json: tokenMadeAnswer } },
    refuses: ["bad-request", "conflict"],
  },
  "POST /v1/tokens/{name}/revoke": {
    id: "revokeToken",
    says: "nobody is believed with it any more",
    right: "tokens",
    answers: { 200: { json: tokenAnswer } },
    refuses: ["not-found"],
  },
  "GET /v1/key": {
    id: "getKey",
    says: "the public key that signs documents, and those that it followed",
    right: "read",
    answers: { 200: { json: keyAnswer } },
    refuses: ["not-found"],
  },
  "POST /v1/key/rotate": {
    id: "rotateKey",
    says: "a new key signs from now on; the body names the one to be replaced, so it happens once",
    right: "tokens",
    body: rotateBody,
    answers: { 200: { json: keyAnswer } },
    refuses: ["bad-request", "conflict"],
  },
  "GET /v1/gateways": {
    id: "listGateways",
    says: "every data plane that counts, its last word and what it may still send; and those gone",
    right: "read",
    answers: { 200: { json: gatewaysAnswer } },
    refuses: [],
  },
  "POST /v1/gateways/{id}/forget": {
    id: "forgetGateway",
    says: "a person's word that a data plane is gone and waits for nothing any more",
    right: "operate",
    isKeyed: true,
    body: forgetBody,
    answers: { 200: { json: forgetAnswer } },
    refuses: ["not-found"],
  },
  "GET /v1/backup": {
    id: "getBackup",
    says: "a copy of the store as of now, with the credentials",
    right: "tokens",
    answers: { 200: { other: "application/gzip" } },
    refuses: ["not-found"],
  },
  "GET /v1/services": {
    id: "listServices",
    says: "the release that every service is at",
    right: "read",
    answers: { 200: { json: servicesAnswer } },
    refuses: [],
  },
  "GET /v1/services/{service}": {
    id: "getService",
    says: "the release a service is at, how it came there, its gateways and the rollout that runs",
    right: "read",
    answers: { 200: { json: serviceAnswer } },
    refuses: ["not-found"],
  },
  "POST /v1/services/{service}/adopt": {
    id: "adoptService",
    says: "takes over what was changed from outside; every user goes there",
    right: "operate",
    isKeyed: true,
    body: adoptBody,
    answers: { 200: { json: adoptAnswer } },
    refuses: ["not-found", "conflict", "no-gateway", "target-unreachable"],
  },
  "POST /v1/claims": {
    id: "checkClaim",
    says: "holds what a document says of stable against the service's pointer, as applying it would; changes nothing",
    right: "read",
    body: claimBody,
    answers: { 200: { json: claimAnswer } },
    refuses: ["bad-request", "too-large", "invalid-document", "conflict", "target-unreachable"],
  },
  "POST /v1/telemetry": {
    id: "pushTelemetry",
    says: "windows of one gateway or service, in order; repetitions are harmless",
    right: "telemetry",
    headers: SPOKEN_VERSION,
    body: pushBody,
    answers: { 200: { json: pushAnswer } },
    refuses: ["bad-request", "too-large", "invalid-document"],
  },
  "GET /v1/routing/{service}": {
    id: "getRouting",
    says: "the routing document in force; as a stream, that one and each one after it; 304 to who has it",
    right: "routing",
    headers: { ...SPOKEN_VERSION, "if-none-match": "the ETag of the document the sender has" },
    answers: { 200: { json: routingDocument, events: routingDocument }, 304: {} },
    refuses: ["not-found"],
  },
  "GET /v1/events": {
    id: "getEvents",
    says: "everything that happens, as a stream",
    right: "read",
    headers: { "last-event-id": "goes on after this event" },
    query: { after: "the same, for those who cannot send headers" },
    answers: { 200: { events: sentEvent } },
    refuses: [],
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof ROUTES;
