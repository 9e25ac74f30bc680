import type { Context } from "hono";
import { z } from "zod";
import {
  type AdoptAnswer,
  adoptBody,
  type ClaimAnswer,
  claimBody,
  type MoveAnswer,
  type PointerAnswer,
  type ServiceAnswer,
  type ServicesAnswer,
} from "../../contract/services.ts";
import { type PointerMove, releaseName, type ServicePointer } from "../../core/service/pointer.ts";
import { planRollout } from "../../spec/plan.ts";
import { isProblems, readRollout } from "../../spec/read-rollout.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import type { Controller } from "../controller.ts";
import { parseJson, readBody } from "./body.ts";
import { BEARER_OPERATES } from "./guard.ts";
import type { Mutation } from "./operator-mutation.ts";
import { problemResponse } from "./problem.ts";

const DOCUMENT_MAX_BYTES = 2_097_152;

/** A pointer on the wire. */
function pointerWire(pointer: ServicePointer): PointerAnswer {
  const { service, region, url, epoch, since } = pointer;
  const { process, generation, at } = since;
  return { service, region, release_id: releaseName(pointer), url, epoch, since: { process, generation, at } };
}

function moveWire({ cause, by, reason, pointer }: PointerMove): MoveAnswer {
  return { cause, by, reason, ...pointerWire(pointer) };
}

/** `GET /v1/services/{service}`: its pointer, how it came there, its gateways and the rollout that runs. */
export async function getService(service: string, controller: Controller): Promise<Response> {
  const pointer = controller.pointers.of(service);
  const rollouts = controller.rollouts().filter(({ rollout }) => rollout.plan.service === service);
  const gateways = controller.hub.live(service).map(({ gatewayId, adopted: { epoch, seq } }) => {
    return { gateway_id: gatewayId, adopted: { epoch, seq } };
  });
  if (pointer === null && rollouts.length === 0 && gateways.length === 0) {
    const known = new Set(controller.rollouts().map(({ rollout }) => rollout.plan.service));
    return problemResponse("not-found", `no service "${service}"; known: ${[...known].join(", ") || "none yet"}`);
  }
  const running = rollouts.find(({ rollout }) => rollout.endedAt === null)?.rollout ?? null;
  const document = controller.hub.current(service);
  return Response.json({
    service,
    pointer: pointer === null ? null : pointerWire(pointer),
    running: running === null ? null : { id: running.plan.rolloutId, phase: running.phase },
    document:
      document === null ? null : { epoch: document.epoch, seq: document.seq, candidate_bp: document.candidateBp },
    history: (await controller.pointers.history(service)).map(moveWire),
    gateways,
  } satisfies ServiceAnswer);
}

/** `GET /v1/services`: the pointer of every service. */
export function listServices(controller: Controller): Response {
  return Response.json({ services: controller.pointers.all().map(pointerWire) } satisfies ServicesAnswer);
}

/** `POST /v1/claims`: holds what a document says of stable against the pointer, as `apply` would. */
export async function postClaim(context: Context, controller: Controller): Promise<Response> {
  const text = await readBody(context, DOCUMENT_MAX_BYTES);
  if (text === null) return problemResponse("too-large", `the body has more than ${DOCUMENT_MAX_BYTES} bytes`);
  const parsed = claimBody.safeParse(parseJson(text));
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const read = readRollout(parsed.data.document, controller.drivers);
  if (isProblems(read)) return problemResponse("invalid-document", `${read.length} problems in the document`, read);
  const current = controller.pointers.of(read.document.spec.service);
  const paths = { set: null, map: null, corpus: null };
  const unknown = { generation: 1, seed: 0, documentDigest: "", goldDigest: "", paths };
  const known = { file: parsed.data.file, current: current?.arm ?? null };
  const plan = planRollout(read.document, read.source, { ...unknown, ...known, drivers: controller.drivers });
  const mayAsk = context.get(BEARER_OPERATES) === true;
  const settled = await controller.settle(mayAsk ? plan : withoutSecrets(plan));
  if (settled.kind === "refused") return problemResponse(settled.code, settled.message);
  const unread = parsed.data.look === true && mayAsk ? await controller.unreadArms(settled.plan) : [];
  const pointer = current === null ? null : { ...pointerWire(current), arm: current.arm };
  return Response.json({ pointer, unread } satisfies ClaimAnswer);
}

/** Who may only look must not make the controller send its secrets to an address of his choice. */
function withoutSecrets(plan: RolloutPlan): RolloutPlan {
  const { access: _, ...stable } = plan.arms.stable;
  const { access: __, ...candidate } = plan.arms.candidate;
  return { ...plan, arms: { stable, candidate } };
}

/** `POST /v1/services/{service}/adopt`: takes over what was changed from outside. */
export async function postAdopt(service: string, mutation: Mutation, controller: Controller): Promise<Response> {
  const parsed = adoptBody.safeParse(mutation.json());
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const result = await controller.adopt(service, { ...parsed.data, by: mutation.operator });
  if (result.kind === "refused") return problemResponse(result.code, result.message);
  return Response.json({ outcome: result.kind, ...pointerWire(result.pointer) } satisfies AdoptAnswer);
}
