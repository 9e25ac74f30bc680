import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { LabAnswer } from "./engine.ts";
import type { HttpProblem } from "./answer-request.ts";
import type { RequestDraw } from "./request-draw.ts";

/** Resolves after `ms`, or at once when the signal aborts; true when the time passed. Leaves no timer behind. */
function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Ends a response with problem+json; nothing when the head is out already. */
export function sendProblem(
  response: ServerResponse,
  problem: HttpProblem,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify({ type: "about:blank", title: problem.code, ...problem });
  response.writeHead(problem.status, {
    ...headers,
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(body);
}

function wireBody(answer: LabAnswer, draw: RequestDraw): string {
  const timings = { ...answer.timings_ms, reason: Math.round(draw.modelMs * 1000) / 1000 };
  const citations = draw.breaksSchema ? answer.citations.map(({ section }) => section) : answer.citations;
  return JSON.stringify({ ...answer, citations, timings_ms: timings });
}

/** Head with the announced length, half of the body, and a dead socket: what a crashed worker looks like. */
function cutOff(response: ServerResponse, part: string): void {
  response.write(part, () => response.destroy());
}

/** Waits the model time, then sends the answer as one JSON body. */
export async function sendJson(
  response: ServerResponse,
  answer: LabAnswer,
  draw: RequestDraw,
  signal: AbortSignal,
): Promise<void> {
  if (!(await sleep(draw.modelMs, signal))) return;
  const body = wireBody(answer, draw);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  if (draw.failure === "cut") cutOff(response, body.slice(0, body.length / 2));
  else response.end(body);
}

function sseEvent(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}

const TOKENS_MAX = 12;
/** Share of the model time that passes before the first token. */
const FIRST_TOKEN_SHARE = 0.4;

function tokensOf(text: string): readonly string[] {
  const words = text.split(/(?<=\s)/);
  const size = Math.ceil(words.length / TOKENS_MAX);
  return Array.from({ length: Math.ceil(words.length / size) }, (_, i) =>
    words.slice(i * size, (i + 1) * size).join(""),
  );
}

/** Streams the answer: `retrieved` at once, tokens over the model time, then `done` with the whole answer. */
export async function sendEvents(
  response: ServerResponse,
  answer: LabAnswer,
  draw: RequestDraw,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const write = async (event: string): Promise<void> => {
    if (!response.write(event)) await once(response, "drain", { signal }).catch(() => undefined);
  };
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  await write(sseEvent("retrieved", JSON.stringify(answer.retrieved)));
  const tokens = tokensOf(answer.answer);
  for (const [place, token] of tokens.entries()) {
    const share = FIRST_TOKEN_SHARE + ((1 - FIRST_TOKEN_SHARE) * place) / Math.max(1, tokens.length - 1);
    const waitMs = startedAt + share * draw.modelMs - performance.now();
    if (!(await sleep(Math.max(0, waitMs), signal))) return;
    if (draw.failure === "cut" && place === Math.floor(tokens.length / 2)) return cutOff(response, "event: token\n");
    await write(sseEvent("token", JSON.stringify(token)));
  }
  if (!signal.aborted) response.end(sseEvent("done", wireBody(answer, draw)));
}
