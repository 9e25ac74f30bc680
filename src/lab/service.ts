import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { HEADERS } from "../core/routing/headers.ts";
import { type HttpProblem, isProblem, parseAnswerRequest, readBody } from "./answer-request.ts";
import { sendEvents, sendJson, sendProblem } from "./answer-response.ts";
import type { LabEngine } from "./engine.ts";
import type { RequestDraw } from "./request-draw.ts";
import { CACHED_BY, RELEASE_ID } from "./service-headers.ts";

export const ANSWER_PATH = "/answer";
export const HEALTH_PATH = "/healthz/ready";

/** What the service needs from its owner; read at every request. */
export interface ServiceState {
  /** Null while loading and after the service began to stop. */
  engine(): LabEngine | null;
  draw(): RequestDraw;
}

const NOT_READY: HttpProblem = {
  status: 503,
  code: "not-ready",
  detail: `the service is loading its index or stopping; wait until ${HEALTH_PATH} answers 200`,
};

function sendHealth(response: ServerResponse, engine: LabEngine | null): void {
  const body = JSON.stringify(engine === null ? { ready: false } : { ready: true, ...engine.manifest });
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  };
  response.writeHead(engine === null ? 503 : 200, headers);
  response.end(body);
}

async function sendAnswer(request: IncomingMessage, response: ServerResponse, state: ServiceState): Promise<void> {
  const leaving = new AbortController();
  response.once("close", () => leaving.abort());
  const body = await readBody(request);
  if (body === null) return;
  // The rest of a refused body is not read, so the connection cannot be used again.
  if (typeof body !== "string") return sendProblem(response, body, { connection: "close" });
  const asked = parseAnswerRequest(body);
  if (isProblem(asked)) return sendProblem(response, asked);
  const engine = state.engine();
  if (engine === null) return sendProblem(response, NOT_READY, { "retry-after": "1" });
  const draw = state.draw();
  response.setHeader(RELEASE_ID, engine.manifest.release_id);
  if (draw.isColdStart) response.setHeader("x-cold-start", "1");
  if (request.headers["x-warm"] === "true") response.setHeader("x-warm", "true");
  if (draw.failure === "unavailable") {
    return sendProblem(response, {
      status: 503,
      code: "model-unavailable",
      detail: "the model did not answer; try again",
    });
  }
  const namespace = request.headers[HEADERS.cacheNamespace];
  const given = await engine.answer(
    asked.question,
    asked.k,
    draw.unsteadySeed,
    typeof namespace === "string" ? namespace : null,
  );
  if (given.cachedBy !== null) response.setHeader(CACHED_BY, given.cachedBy);
  const send = request.headers.accept?.includes("text/event-stream") === true ? sendEvents : sendJson;
  // No model is asked for what is cached.
  await send(response, given.answer, given.cachedBy === null ? draw : { ...draw, modelMs: 0 }, leaving.signal);
}

async function route(request: IncomingMessage, response: ServerResponse, state: ServiceState): Promise<void> {
  const path = request.url?.split("?", 1)[0] ?? "";
  const allowed = path === ANSWER_PATH ? ["POST"] : path === HEALTH_PATH ? ["GET", "HEAD"] : null;
  if (allowed === null) {
    const detail = `no ${path} here; there are POST ${ANSWER_PATH} and GET ${HEALTH_PATH}`;
    return sendProblem(response, { status: 404, code: "not-found", detail });
  }
  if (!allowed.includes(request.method ?? "")) {
    const detail = `${request.method} ${path} is not allowed; use ${allowed.join(" or ")}`;
    return sendProblem(response, { status: 405, code: "method-not-allowed", detail }, { allow: allowed.join(", ") });
  }
  if (path === HEALTH_PATH) return sendHealth(response, state.engine());
  return sendAnswer(request, response, state);
}

/** The HTTP surface of a laboratory service, not yet listening. */
export function labServer(state: ServiceState): Server {
  const server = createServer((request, response) => {
    // A connection that becomes idle after the server stopped listening would otherwise hold it open.
    response.once("close", () => setImmediate(() => server.listening || server.closeIdleConnections()));
    route(request, response, state).catch((error: unknown) => {
      const detail = `the service failed: ${error instanceof Error ? error.message : String(error)}`;
      sendProblem(response, { status: 500, code: "internal", detail });
      response.destroy();
    });
  });
  server.requestTimeout = 15_000;
  server.keepAliveTimeout = 75_000; // Longer than a gateway keeps its idle connections, so that it closes first.
  return server;
}
