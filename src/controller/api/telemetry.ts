import type { Context } from "hono";
import { z } from "zod";
import { type PushAnswer, pushFrame } from "../../contract/telemetry.ts";
import { admitWindow } from "../../core/window/admit-window.ts";
import { DOCUMENT_VERSION, VERSION_HEADER } from "../../core/routing/document.ts";
import type { TelemetryWindow } from "../../core/window/window.ts";
import type { Controller } from "../controller.ts";
import { type Proof, sharedSecretProof } from "../../plane/proof.ts";
import { takePush } from "../telemetry-push.ts";
import { parseJson, readBody } from "./body.ts";
import { BEARER_HASH } from "./guard.ts";
import { versionOf } from "./streams.ts";
import { problemResponse } from "./problem.ts";

const BODY_MAX_BYTES = 8_388_608;

/**
 * `POST /v1/telemetry`: windows of one gateway or service, in order. Acknowledged when durable; repetitions are
 * harmless.
 */
export async function postTelemetry(context: Context, controller: Controller): Promise<Response> {
  const text = await readBody(context, BODY_MAX_BYTES);
  if (text === null) return problemResponse("too-large", `the body has more than ${BODY_MAX_BYTES} bytes`);
  const parsed = pushFrame.safeParse(parseJson(text));
  if (!parsed.success) return problemResponse("bad-request", `not a telemetry push: ${z.prettifyError(parsed.error)}`);
  const { gateway_id: gatewayId, adopted, plane = null } = parsed.data;
  const windows: TelemetryWindow[] = [];
  for (const json of parsed.data.windows) {
    const admitted = admitWindow(json);
    if (Array.isArray(admitted)) return problemResponse("invalid-document", "a window is malformed", admitted);
    windows.push(admitted as TelemetryWindow);
  }
  const services = new Set(windows.map(({ service }) => service));
  const [service] = services;
  if (service === undefined || services.size > 1 || windows.some((window) => window.gatewayId !== gatewayId)) {
    return problemResponse("bad-request", "a push carries the windows of one gateway and one service");
  }
  const lease = await takePush(controller, {
    service,
    gatewayId,
    windows,
    adopted: adopted ?? null,
    report: plane,
    version: versionOf(context),
    proof: proofFor(context),
  });
  const acked = Math.max(...windows.map(({ seq }) => seq));
  return Response.json({ acked, lease } satisfies PushAnswer, {
    headers: { [VERSION_HEADER]: String(DOCUMENT_VERSION) },
  });
}

/** Answers are proven with the hash of the very secret the sender showed, which the guard has looked up. */
function proofFor(context: Context): Proof | undefined {
  const hash: unknown = context.get(BEARER_HASH);
  return typeof hash === "string" ? sharedSecretProof(hash) : undefined;
}
