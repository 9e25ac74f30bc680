import type { Context, Hono } from "hono";
import { z } from "zod";
import {
  type CutoverApplied,
  type CutoverCommanded,
  type CutoverJournal,
  type CutoversAnswer,
  goBackBody,
  type GrantAnswer,
  grantBody,
} from "../../contract/cutovers.ts";
import type { Cutover, CutoverEvent } from "../../core/cutover/machine.ts";
import { isCutover } from "../../core/cutover/plan.ts";
import { orderName } from "../../core/process/order.ts";
import type { ProcessEntry } from "../../ports/controller-store.ts";
import type { Controller } from "../controller.ts";
import { cutoverStatus } from "../cutover-status.ts";
import { parseJson, readBody } from "./body.ts";
import type { Mutation } from "./operator-mutation.ts";
import { problemResponse } from "./problem.ts";
import { parseBody, plannedOf, type RolloutApiOptions } from "./rollouts.ts";

const GRANT_BYTES_MAX = 8_192;

/** The routes of cutovers and grants. */
export function addCutovers(app: Hono, api: RolloutApiOptions): void {
  const { controller, mutations } = api;
  app.get("/v1/cutovers", () => listCutovers(controller));
  app.post("/v1/cutovers", (context) => mutations.once(context, (mutation) => postCutover(mutation, api)));
  app.get("/v1/cutovers/:id", (context) => getCutover(context.req.param("id"), controller));
  app.get("/v1/cutovers/:id/journal", (context) => getCutoverJournal(context.req.param("id"), controller));
  app.post("/v1/cutovers/:id/abort", (context) =>
    mutations.once(context, (mutation) => postGoBack(context.req.param("id"), mutation, api)),
  );
  app.post("/v1/services/:service/grant", (context) => postGrant(context.req.param("service"), context, controller));
}

function unknownCutover(id: string, { cutovers }: Controller): Response {
  const known = cutovers.all().map(({ plan }) => plan.rolloutId);
  return problemResponse("not-found", `no cutover "${id}"; known: ${known.join(", ") || "none yet"}`);
}

/** `GET /v1/cutovers` */
function listCutovers({ cutovers }: Controller): Response {
  return Response.json({ cutovers: cutovers.all().map(cutoverStatus) } satisfies CutoversAnswer);
}

/** `GET /v1/cutovers/{id}` */
function getCutover(id: string, controller: Controller): Response {
  const cutover = controller.cutovers.of(id);
  return cutover === null ? unknownCutover(id, controller) : Response.json(cutoverStatus(cutover));
}

/** `GET /v1/cutovers/{id}/journal` */
async function getCutoverJournal(id: string, controller: Controller): Promise<Response> {
  if (controller.cutovers.of(id) === null) return unknownCutover(id, controller);
  const entries = (await controller.cutovers.journal(id)).map(journalWire);
  return Response.json({ entries } satisfies CutoverJournal);
}

function journalWire({
  index,
  generation,
  event: stored,
  orders,
  notes,
}: ProcessEntry): CutoverJournal["entries"][number] {
  const event = stored as unknown as CutoverEvent;
  const text = "message" in event ? event.message : "reason" in event ? event.reason : null;
  return {
    index,
    generation,
    at: event.at,
    event: event.kind,
    order_id: "orderId" in event ? event.orderId : null,
    text,
    orders: orders.map((order) => ({ id: order.id, order: orderName(order) })),
    notes: [...notes],
  };
}

/** `POST /v1/cutovers`: accepts a document that moves everything at once. */
async function postCutover(mutation: Mutation, options: RolloutApiOptions): Promise<Response> {
  const { controller } = options;
  const planned = await plannedOf(mutation, options, (name) => {
    const known = controller.cutovers.of(name)?.plan;
    return known === undefined ? null : { digest: known.documentDigest, generation: known.generation };
  });
  if (planned instanceof Response) return planned;
  const { plan } = planned;
  if (!isCutover(plan)) {
    const found = `${plan.rolloutId} moves users by shares`;
    return problemResponse("invalid-document", `${found}; a cutover has strategy.blueGreen, others are a rollout`);
  }
  const wire = (cutover: Cutover) =>
    ({ outcome: "accepted", cutover: cutoverStatus(cutover) }) satisfies CutoverApplied;
  const result = await controller.applyCutover(plan, (cutover) => mutation.answer(201, wire(cutover)));
  if (result.kind === "refused") return problemResponse(result.code, result.message);
  const answer: CutoverApplied = { outcome: result.kind, cutover: cutoverStatus(result.cutover) };
  return Response.json(answer, { status: result.kind === "accepted" ? 201 : 200 });
}

/** `POST /v1/cutovers/{id}/abort`: everything goes back. */
async function postGoBack(id: string, mutation: Mutation, { controller }: RolloutApiOptions): Promise<Response> {
  const body = parseBody(goBackBody, mutation.body);
  if (typeof body === "string") return problemResponse("bad-request", body);
  const wire = (outcome: CutoverCommanded["outcome"], cutover: Cutover, text: string) =>
    ({ outcome, text, cutover: cutoverStatus(cutover) }) satisfies CutoverCommanded;
  const asked = { by: mutation.operator, reason: body.reason ?? "" };
  const done = await controller.cutovers.goBack(id, asked, (cutover, text) =>
    mutation.answer(200, wire("done", cutover, text)),
  );
  if (done.kind === "unknown") return unknownCutover(id, controller);
  if (done.kind === "superseded") return problemResponse("superseded", `nothing goes back: ${done.reason}`);
  return Response.json(wire(done.kind, done.cutover, done.text));
}

/** `POST /v1/services/{service}/grant`: whether a worker may act. */
async function postGrant(service: string, context: Context, { cutovers }: Controller): Promise<Response> {
  const text = await readBody(context, GRANT_BYTES_MAX);
  if (text === null) return problemResponse("too-large", `the body has more than ${GRANT_BYTES_MAX} bytes`);
  const parsed = grantBody.safeParse(parseJson(text));
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const { release, region = null, worker, role, acting, question = null } = parsed.data;
  const asker = { release, region, worker, role, isActing: acting, question };
  const leave = await cutovers.grants.ask(service, asker);
  const { acts, holder, token, expiresInMs, askAgainMs, reason } = leave;
  const answer: GrantAnswer = { acts, holder, token, expires_in_ms: expiresInMs, ask_again_ms: askAgainMs, reason };
  return Response.json(answer);
}
