import type { Context } from "hono";
import { z } from "zod";
import { type SegmentAnswer, type UnitAnswer, unitBody } from "../../contract/rollouts.ts";
import { bucketOf } from "../../core/assign/bucket.ts";
import { unitOfHeader } from "../../core/assign/unit-header.ts";
import { unitLabel, unitName } from "../../core/assign/unit-name.ts";
import { xxHash32 } from "../../core/assign/xxhash32.ts";
import type { UnitCounts } from "../../core/by-unit/unit-table.ts";
import { compileRouteTable, route } from "../../core/routing/route.ts";
import { type SegmentLabel, segmentLabel, segmentValue } from "../../core/routing/segments.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import type { Controller } from "../controller.ts";
import { parseJson, readBody } from "./body.ts";
import { problemResponse } from "./problem.ts";
import { unknownRollout } from "./unknown-rollout.ts";

const BYTES_MAX = 8_192;

const countsWire = ({ requests, failures }: UnitCounts) => ({ requests, failures });

/** `POST /v1/rollouts/{id}/unit`: what a known user, or a known value of a segment, is called, and what is known. */
export async function postUnit(id: string, context: Context, controller: Controller): Promise<Response> {
  const plan = (await controller.find(id))?.rollout.plan;
  if (plan === undefined) return unknownRollout(id, controller);
  const text = await readBody(context, BYTES_MAX);
  if (text === null) return problemResponse("too-large", `the body has more than ${BYTES_MAX} bytes`);
  const parsed = unitBody.safeParse(parseJson(text));
  if (!parsed.success) return problemResponse("bad-request", z.prettifyError(parsed.error));
  const { unit: said, segment } = parsed.data;
  if (segment !== null) return segmentAnswer(plan, segment, said, controller);
  const unit = unitOfHeader(said);
  if (unit === null) return problemResponse("bad-request", "the id is empty; give it as the user's header has it");
  return Response.json(unitWire(plan, unit, controller));
}

function unitWire(plan: RolloutPlan, unit: string, controller: Controller): UnitAnswer {
  const { rolloutId: id, generation, service, sticky } = plan;
  const hash = xxHash32(unit, sticky.seed);
  const name = unitName(hash, sticky.seed);
  const document = controller.hub.current(service);
  const isOwn = document !== null && document.rolloutId === id;
  const decision = isOwn ? route(compileRouteTable(document), unit, null, null) : null;
  const units = controller.units(id);
  const { arms = null, isComplete = false } = units?.seenOf(name) ?? {};
  return {
    id,
    generation,
    unit: unitLabel(name),
    service,
    in_force: document === null ? null : { rollout: document.rolloutId },
    arm: decision?.arm ?? null,
    reason: decision?.reason ?? null,
    candidate_from_bp: bucketOf(hash) + 1,
    seen: arms === null ? null : { stable: countsWire(arms.stable), candidate: countsWire(arms.candidate) },
    is_complete: isComplete,
    gaps: (units?.gaps ?? []).map(({ fromMs, toMs }) => ({ from: fromMs, to: toMs })),
  };
}

function segmentAnswer(plan: RolloutPlan, segment: string, value: string, controller: Controller): Response {
  const { rolloutId: id, generation, segments = [], sticky } = plan;
  const source = segments.find(({ name }) => name === segment);
  if (source === undefined) {
    const known = segments.map(({ name }) => name).join(", ") || "none";
    return problemResponse("not-found", `rollout ${id} has no segment "${segment}"; it has: ${known}`);
  }
  const label: SegmentLabel = segmentLabel(source, segmentValue(source, value), sticky.seed);
  const harmed = controller.units(id)?.segments.harmed() ?? [];
  const rates = harmed.find((one) => one.label === label)?.difference.rates ?? null;
  return Response.json({ id, generation, segment: label, harmed: rates } satisfies SegmentAnswer);
}
