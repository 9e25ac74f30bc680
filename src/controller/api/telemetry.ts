import type { Context } from "hono";
import { z } from "zod";
import { admitWindow } from "../../core/window/admit-window.ts";
import { DOCUMENT_VERSION, LEASE_LIMITS, VERSION_HEADER } from "../../core/routing/document.ts";
import type { TelemetryWindow } from "../../core/window/window.ts";
import type { Controller } from "../controller.ts";
import { type Proof, sharedSecretProof } from "../../plane/proof.ts";
import { takePush } from "../telemetry-push.ts";
import { parseJson, readBody } from "./body.ts";
import { BEARER_HASH } from "./guard.ts";
import { versionOf } from "./streams.ts";
import { problemResponse } from "./problem.ts";

const WINDOWS_MAX = 500;
const BODY_MAX_BYTES = 8_388_608;

/** The next document is numbered above what is reported here, and has to stay an exact number. */
const EPOCH_MAX = 2 ** 52;

const push = z.strictObject({
  gateway_id: z.string().min(1).max(200),
  windows: z.array(z.unknown()).min(1).max(WINDOWS_MAX),
  /** The document the gateway routes by; left out by a service that only reports what it counts. */
  adopted: z.strictObject({ epoch: z.int().min(0).max(EPOCH_MAX), seq: z.int().min(0) }).optional(),
  /** What a data plane of version 2 says of itself. Later versions may say more. */
  plane: z
    .object({
      version: z.int().min(2).max(1_000),
      id: z.string().min(1).max(200),
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      nonce: z.string().min(16).max(200),
      leaseLeftMs: z.number().min(0).max(LEASE_LIMITS.maxMs),
      override: z.literal("stable").nullable(),
      refused: z.object({ epoch: z.int().min(0), seq: z.int().min(0), reason: z.string().max(2_000) }).nullable(),
      isLeaving: z.boolean(),
      acceptsUnsigned: z.boolean().optional(),
    })
    .optional(),
});

/**
 * `POST /v1/telemetry`: windows of one gateway or service, in order. Acknowledged when durable; repetitions are
 * harmless.
 */
export async function postTelemetry(context: Context, controller: Controller): Promise<Response> {
  const text = await readBody(context, BODY_MAX_BYTES);
  if (text === null) return problemResponse("too-large", `the body has more than ${BODY_MAX_BYTES} bytes`);
  const parsed = push.safeParse(parseJson(text));
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
  return Response.json({ acked, lease }, { headers: { [VERSION_HEADER]: String(DOCUMENT_VERSION) } });
}

/** Answers are proven with the hash of the very secret the sender showed, which the guard has looked up. */
function proofFor(context: Context): Proof | undefined {
  const hash: unknown = context.get(BEARER_HASH);
  return typeof hash === "string" ? sharedSecretProof(hash) : undefined;
}
