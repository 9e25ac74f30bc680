import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Context, Hono } from "hono";
import {
  type DrillApplied,
  type DrillCommanded,
  type DrillJournal,
  type DrillsAnswer,
  drillWordBody,
} from "../../contract/drills.ts";
import { applyBody } from "../../contract/rollouts.ts";
import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import { type Drill, type DrillEvent, drillMachine, drillStepName } from "../../core/drill/machine.ts";
import { kidOf } from "../../core/routing/signature.ts";
import { orderName } from "../../core/process/order.ts";
import { planDrill, readDrill } from "../../spec/drill-document.ts";
import { isProblems } from "../../spec/read-rollout.ts";
import type { ProcessEntry } from "../../ports/controller-store.ts";
import type { Controller } from "../controller.ts";
import { drillStatus } from "../drill-status.ts";
import { BEARER_NAME } from "./guard.ts";
import type { Mutation } from "./operator-mutation.ts";
import { problemResponse } from "./problem.ts";
import { parseBody, type RolloutApiOptions } from "./rollouts.ts";

/** The routes of drills. */
export function addDrills(app: Hono, api: RolloutApiOptions): void {
  const { controller, mutations } = api;
  app.get("/v1/drills", () => {
    const drills = controller.drills.all().map((drill) => statusOf(controller, drill));
    return Response.json({ drills } satisfies DrillsAnswer);
  });
  app.post("/v1/drills", (context) => mutations.once(context, (mutation) => postDrill(mutation, api)));
  app.get("/v1/drills/:id", (context) => {
    const drill = controller.drills.of(context.req.param("id"));
    return drill === null
      ? unknownDrill(context.req.param("id"), controller)
      : Response.json(statusOf(controller, drill));
  });
  app.get("/v1/drills/:id/journal", (context) => getDrillJournal(context.req.param("id"), controller));
  for (const word of ["abort", "home", "approve"] as const) {
    app.post(`/v1/drills/:id/${word}`, (context) =>
      mutations.once(context, (mutation) => {
        if (word === "approve" && !isKnown(context)) {
          const advice = "sluice token create NAME --scope operate";
          const found = "who says yes has to be known by a token of his own";
          return Promise.resolve(problemResponse("forbidden", `${found}: ${advice}`));
        }
        return postWord(context.req.param("id"), word, mutation, controller);
      }),
    );
  }
}

/** Whoever has the data directory's own token names himself, so his yes would be anybody's. */
function isKnown(context: Context): boolean {
  return typeof context.get(BEARER_NAME) === "string";
}

function statusOf({ hub, cutovers }: Controller, drill: Drill) {
  const { service } = drill.plan;
  const regions = hub.current(service)?.regions ?? null;
  return drillStatus(drill, { regions, writesIn: cutovers.grants.of(service)?.region ?? null });
}

function unknownDrill(id: string, { drills }: Controller): Response {
  const known = drills.all().map(({ plan }) => plan.drillId);
  return problemResponse("not-found", `no drill "${id}"; known: ${known.join(", ") || "none yet"}`);
}

/** `POST /v1/drills`: accepts a document of kind Drill. */
async function postDrill(mutation: Mutation, { controller }: RolloutApiOptions): Promise<Response> {
  const body = parseBody(applyBody, mutation.body);
  if (typeof body === "string") return problemResponse("bad-request", body);
  const read = readDrill(body.document);
  if (isProblems(read)) return problemResponse("invalid-document", `${read.length} problems in ${body.file}`, read);
  if (read.kind === "plan") {
    const advice = "write it into a document of kind Drill, as its spec.drill";
    return problemResponse("invalid-document", `${body.file} says not where its regions are; ${advice}`);
  }
  const content = canonicalJson({ document: read.document as unknown as Json, gold: body.gold_digest });
  const documentDigest = `sha256:${bytesToHex(sha256(utf8ToBytes(content)))}`;
  const known = controller.drills.of(read.document.metadata.name)?.plan;
  const isSame = known?.documentDigest === documentDigest;
  const generation = (known?.generation ?? 0) + (isSame ? 0 : 1);
  const plan = planDrill(read, { generation, documentDigest, set: body.paths.set });
  const result = await controller.applyDrill(plan, mutation.operator, (drill) =>
    mutation.answer(201, { outcome: "accepted", drill: statusOf(controller, drill) } satisfies DrillApplied),
  );
  if (result.kind === "refused") return problemResponse(result.code, result.message);
  const answer: DrillApplied = { outcome: result.kind, drill: statusOf(controller, result.drill) };
  return Response.json(answer, { status: result.kind === "accepted" ? 201 : 200 });
}

async function postWord(
  id: string,
  word: "abort" | "home" | "approve",
  mutation: Mutation,
  controller: Controller,
): Promise<Response> {
  const body = parseBody(drillWordBody, mutation.body);
  if (typeof body === "string") return problemResponse("bad-request", body);
  const wire = (outcome: DrillCommanded["outcome"], drill: Drill, text: string) =>
    ({ outcome, text, drill: statusOf(controller, drill) }) satisfies DrillCommanded;
  const said = { by: mutation.operator, reason: body.reason ?? "" };
  const done = await controller.drills[word](id, said, (drill, text) =>
    mutation.answer(200, wire("done", drill, text)),
  );
  if (done.kind === "unknown") return unknownDrill(id, controller);
  return Response.json(wire(done.kind, done.drill, done.text));
}

/** `GET /v1/drills/{id}/journal` */
async function getDrillJournal(id: string, controller: Controller): Promise<Response> {
  const drill = controller.drills.of(id);
  if (drill === null) return unknownDrill(id, controller);
  const stored = (await controller.drills.journal(id)).filter(({ generation }) => generation === drill.plan.generation);
  let state = drillMachine.start(drill.plan);
  const entries = stored.map((entry) => {
    state = drillMachine.step(state, entry.event as unknown as DrillEvent).state;
    return entryWire(entry, drillStepName(state));
  });
  const head = entries.reduce((before, entry) => chained(before, entry), "");
  const key = controller.keys.current;
  const signature = key === null ? null : await key.sign(`sluice drill ${id} ${head}`);
  const chain = { head, kid: key === null ? null : kidOf(key.publicKey), signature };
  return Response.json({ drill: statusOf(controller, drill), entries, chain } satisfies DrillJournal);
}

/** Whoever changes, leaves out or swaps an entry changes every hash after it. */
function chained(before: string, entry: DrillJournal["entries"][number]): string {
  return bytesToHex(sha256(utf8ToBytes(`${before}\n${canonicalJson(entry as unknown as Json)}`)));
}

/** @param step in force after the decision: the one its orders are of */
function entryWire({ index, generation, event: stored, orders, notes }: ProcessEntry, step: string | null) {
  const event = stored as unknown as DrillEvent;
  const text = "message" in event ? event.message : "reason" in event ? event.reason : "by" in event ? event.by : null;
  const verdicts = "verdicts" in event ? event.verdicts : [];
  return {
    index,
    generation,
    at: event.at,
    event: event.kind,
    order_id: "orderId" in event ? event.orderId : null,
    text,
    verdicts: verdicts.map(({ gate, instance, kind, estimate, threshold, samples, reason }) => ({
      check: instance === undefined ? gate : `${gate}[${instance}]`,
      verdict: kind,
      estimate,
      threshold,
      samples: samples.candidate,
      reason,
    })),
    orders: orders.map((order) => ({ id: order.id, order: orderName(order), step })),
    notes: [...notes],
  };
}
