import type { Context } from "hono";
import { z } from "zod";
import { admitWindow } from "../../core/window/admit-window.ts";
import type { TelemetryWindow } from "../../core/window/window.ts";
import type { Controller } from "../controller.ts";
import { parseJson, readBody } from "./body.ts";
import { problemResponse } from "./problem.ts";

const WINDOWS_MAX = 500;
const BODY_MAX_BYTES = 8_388_608;

const push = z.strictObject({
  gateway_id: z.string().min(1).max(200),
  windows: z.array(z.unknown()).min(1).max(WINDOWS_MAX),
  /** The document the gateway routes by; left out by a service that only reports what it counts. */
  adopted: z.strictObject({ epoch: z.int().min(0), seq: z.int().min(0) }).optional(),
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
  const { gateway_id: gatewayId, adopted } = parsed.data;
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
  await controller.ingest(service, gatewayId, windows, adopted ?? null);
  return Response.json({ acked: Math.max(...windows.map(({ seq }) => seq)) });
}
