import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Context } from "hono";
import { z } from "zod";
import {
  type AppliedAnswer,
  type AppliedBody,
  applyBody,
  type CommandAnswer,
  commandBody,
  type RolloutsAnswer,
} from "../../contract/rollouts.ts";
import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import type { Command } from "../../core/rollout/event.ts";
import { isFinal, type Rollout } from "../../core/rollout/rollout.ts";
import { isCutover } from "../../core/cutover/plan.ts";
import type { RolloutPlan } from "../../core/stage/plan.ts";
import { planRollout } from "../../spec/plan.ts";
import { isProblems, type ReadRollout, readRollout } from "../../spec/read-rollout.ts";
import type { EpochMs } from "../../core/unit.ts";
import type { Controller } from "../controller.ts";
import type { StoredRollout } from "../../ports/controller-store.ts";
import type { PlanesHeard } from "../next-action.ts";
import { exitCodeOf, type Heard, statusWire } from "../status.ts";
import type { Mutation, OperatorMutations } from "./operator-mutation.ts";
import { problemResponse } from "./problem.ts";
import { unknownRollout } from "./unknown-rollout.ts";

export interface RolloutApiOptions {
  readonly controller: Controller;
  readonly mutations: OperatorMutations;
  /** Secret of the installation; the bucket seeds are derived from it, so nobody can compute who gets a candidate. */
  readonly secret: string;
  readonly now: () => EpochMs;
}

function digest(text: string): Uint8Array {
  return sha256(utf8ToBytes(text));
}

/** @source definitions.md §7: the first 4 bytes, big endian, of sha256(rollout salt) */
function bucketSeed(secret: string, rolloutId: string, generation: number): number {
  const salt = digest(`bucket salt/${secret}/${rolloutId}/${generation}`);
  return new DataView(sha256(salt).buffer).getUint32(0);
}

/**
 * What data planes of a service sign with for each other. The same for all its rollouts, so that no visitor becomes a
 * stranger with the next one.
 */
function serviceKey(secret: string, service: string): string {
  return bytesToHex(digest(`service key/${secret}/${service}`));
}

export function parseBody<T>(schema: z.ZodType<T>, text: string): T | string {
  let json: unknown;
  try {
    json = text === "" ? {} : JSON.parse(text);
  } catch {
    return "the body is not JSON";
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? parsed.data : z.prettifyError(parsed.error);
}

async function statusOf({ controller, now }: RolloutApiOptions, rolloutId: string) {
  const stored = controller.rollout(rolloutId);
  if (stored === null) return null;
  const { service } = stored.rollout.plan;
  const document = controller.hub.current(service);
  return statusWire(stored, document, await controller.journal(rolloutId), now(), heardOf(controller, stored));
}

function heardOf(controller: Controller, { rollout: { plan } }: StoredRollout): Heard {
  const unitsMet = controller.units(plan.rolloutId)?.unitsMet ?? null;
  return { planes: planesHeard(controller, plan.service), unitsMet };
}

function planesHeard({ hub }: Controller, service: string): PlanesHeard {
  const words = hub.words(service);
  const silences = words.flatMap(({ silentMs }) => (silentMs === null ? [] : [silentMs]));
  const live = words.filter(({ isLive }) => isLive).length;
  const unsigned = words.filter(({ acceptsUnsigned }) => acceptsUnsigned).map(({ gatewayId }) => gatewayId);
  return { live, unsigned, silentMs: silences.length === 0 ? null : Math.round(Math.min(...silences)) };
}

/** All that run, then the last that ended, the newest first. Without journals: a list must not grow slow. */
export function listRollouts(_: Context, { controller, now }: RolloutApiOptions): Response {
  const order = ({ rollout: { endedAt, startedAt } }: StoredRollout) => [endedAt ?? Number.MAX_VALUE, startedAt ?? 0];
  const all = [...controller.rollouts()].sort((a, b) => {
    const [[endA = 0, startA = 0], [endB = 0, startB = 0]] = [order(a), order(b)];
    return endB - endA || startB - startA;
  });
  const wire = (one: StoredRollout) => {
    const { service } = one.rollout.plan;
    return statusWire(one, controller.hub.current(service), [], now(), heardOf(controller, one));
  };
  return Response.json({ rollouts: all.map(wire) } satisfies RolloutsAnswer);
}

export async function getRollout(context: Context, options: RolloutApiOptions): Promise<Response> {
  const id = context.req.param("id") ?? "";
  const status = await statusOf(options, id);
  if (status !== null) return Response.json(status);
  return unknownRollout(id, options.controller);
}

/** Reads what was sent as a document, for `apply` and `retry` alike; a response where it cannot be read. */
function readApplied(
  mutation: Mutation,
  { drivers }: Controller,
): (ReadRollout & { readonly body: AppliedBody; readonly digest: string }) | Response {
  const body = parseBody(applyBody, mutation.body);
  if (typeof body === "string") return problemResponse("bad-request", body);
  const read = readRollout(body.document, drivers);
  if (isProblems(read)) return problemResponse("invalid-document", `${read.length} problems in ${body.file}`, read);
  const { gold_digest: gold, map_digest: map = "", corpus_digest: corpus = "" } = body;
  const content = canonicalJson({ document: read.document as unknown as Json, gold, map, corpus });
  return { ...read, body, digest: `sha256:${bytesToHex(digest(content))}` };
}

/** What a document was planned to be, and whether a document of its name stands already. */
interface Planned {
  readonly plan: RolloutPlan;
  /** The name is known with another document. */
  readonly isChanged: boolean;
}

/** What a name stands for; null for nothing yet. */
type Known = { readonly digest: string; readonly generation: number } | null;

/** The plan of a document that was sent. @param known the digest and generation that its name has; null for none */
export async function plannedOf(
  mutation: Mutation,
  { controller, secret }: RolloutApiOptions,
  known: (name: string) => Known | Promise<Known>,
): Promise<Planned | Response> {
  const read = readApplied(mutation, controller);
  if (read instanceof Response) return read;
  const { document, source, body } = read;
  const { name } = document.metadata;
  const existing = await known(name);
  const isSame = existing?.digest === read.digest;
  const generation = (existing?.generation ?? 0) + (isSame ? 0 : 1);
  const plan = planRollout(document, source, {
    file: body.file,
    generation,
    seed: bucketSeed(secret, name, generation),
    key: serviceKey(secret, document.spec.service),
    documentDigest: read.digest,
    goldDigest: body.gold_digest,
    paths: body.paths,
    drivers: controller.drivers,
    current: controller.pointers.of(document.spec.service)?.arm ?? null,
  });
  return { plan, isChanged: existing !== null && !isSame };
}

/**
 * `POST /v1/rollouts`: accepts a document. 201 when it begins a generation, 200 when it is the same as before and
 * nothing happens, with the exit code a command ends with.
 */
export async function postRollout(mutation: Mutation, options: RolloutApiOptions): Promise<Response> {
  const { controller } = options;
  const planned = await plannedOf(mutation, options, async (name) => {
    const plan = (await controller.find(name))?.rollout.plan;
    if (plan !== undefined) return { digest: plan.documentDigest, generation: plan.generation };
    const removed = controller.pruning.lastGeneration(name);
    return removed === 0 ? null : { digest: "", generation: removed };
  });
  if (planned instanceof Response) return planned;
  const { plan, isChanged } = planned;
  if (isCutover(plan))
    return problemResponse(
      "invalid-document",
      `${plan.rolloutId} moves everything at once: POST /v1/cutovers takes it`,
    );
  const isKnown = isChanged && (await controller.find(plan.rolloutId)) !== null;
  const note = isKnown ? `the document changed since generation ${plan.generation - 1}` : null;
  return applied(plan, note, mutation, controller);
}

async function applied(
  plan: RolloutPlan,
  note: string | null,
  mutation: Mutation,
  controller: Controller,
): Promise<Response> {
  const { rolloutId: id, generation } = plan;
  const wire: AppliedAnswer = { id, generation, phase: "pending", outcome: "accepted", note, exit_code: 0 };
  const result = await controller.apply(plan, () => mutation.answer(201, wire));
  if (result.kind === "refused") return problemResponse(result.code, result.message);
  const { rollout } = result;
  if (result.kind === "accepted")
    return Response.json({ ...wire, phase: rollout.phase } satisfies AppliedAnswer, { status: 201 });
  const exitCode = isFinal(rollout) ? (exitCodeOf(rollout) ?? 0) : 0;
  const { phase } = rollout;
  const unchanged: AppliedAnswer = { ...wire, phase, outcome: "unchanged", note: result.note, exit_code: exitCode };
  return Response.json(unchanged);
}

/**
 * `POST /v1/rollouts/{id}/retry`: the same document once more as a new generation, with other bucket seeds and a fresh
 * cache prefix for the candidate, so that nothing of the failed try is met again (D-9). With a document in the body it
 * is refused unless that is the one the last generation was of.
 */
export async function postRetry(id: string, mutation: Mutation, options: RolloutApiOptions): Promise<Response> {
  const { controller, secret } = options;
  const rollout = (await controller.find(id))?.rollout;
  if (rollout === undefined) return unknownRollout(id, controller);
  const { plan } = rollout;
  if (!isFinal(rollout)) {
    const found = `rollout ${id} is ${rollout.phase}`;
    return problemResponse("conflict", `${found}; wait for its end, or end it before a retry: sluice abort ${id}`);
  }
  if (mutation.body !== "" && mutation.body !== "{}") {
    const read = readApplied(mutation, controller);
    if (read instanceof Response) return read;
    if (read.digest !== plan.documentDigest) {
      const found = `${read.body.file} or a file it names changed since generation ${plan.generation} of ${id}`;
      return problemResponse("conflict", `${found}; a changed document is applied: sluice apply ${read.body.file}`);
    }
  }
  const generation = plan.generation + 1;
  const { candidate } = plan.arms;
  const isOwnPrefix = candidate.cachePrefix === `${id}.${plan.generation}:`;
  const cachePrefix = isOwnPrefix ? `${id}.${generation}:` : candidate.cachePrefix;
  const next: RolloutPlan = {
    ...plan,
    generation,
    arms: { ...plan.arms, candidate: { ...candidate, cachePrefix } },
    sticky: { ...plan.sticky, seed: bucketSeed(secret, id, generation), key: serviceKey(secret, plan.service) },
  };
  return applied(next, null, mutation, controller);
}

/** `POST /v1/rollouts/{id}/{command}`. A command about another generation than the current one is refused. */
export async function postCommand(
  id: string,
  command: Command,
  mutation: Mutation,
  { controller }: RolloutApiOptions,
): Promise<Response> {
  const body = parseBody(commandBody, mutation.body);
  if (typeof body === "string") return problemResponse("bad-request", body);
  const current = (await controller.find(id))?.rollout.plan.generation;
  if (body.generation !== undefined && current !== undefined && body.generation !== current) {
    return problemResponse("generation", `generation ${body.generation} of ${id} is over; ${current} is current`);
  }
  const { full = false, despite = false, reason = "" } = body;
  const asked = { command, full, despite, by: mutation.operator, reason };
  const wireOf = ({ plan: { generation }, phase }: Rollout, outcome: CommandAnswer["outcome"], text: string) =>
    ({ id, generation, phase, outcome, text }) satisfies CommandAnswer;
  const done = await controller.command(id, asked, (rollout, text) =>
    mutation.answer(200, wireOf(rollout, "done", text)),
  );
  if (done.kind === "unknown") return unknownRollout(id, controller);
  if ("reason" in done) return problemResponse(done.kind, `${command} changes nothing: ${done.reason}`);
  return Response.json(wireOf(done.rollout, done.kind, done.text));
}
