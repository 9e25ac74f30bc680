import type { Dispatcher } from "undici";
import { provenanceOf } from "./answer-headers.ts";
import type { TrafficAnswer } from "./tally.ts";

export interface Shot {
  readonly url: URL;
  readonly user: string;
  readonly userHeader: string;
  readonly question: string;
  readonly isStreaming: boolean;
}

const DONE_EVENT = /(^|\n)event: done\n/;

/** Milliseconds since the epoch that never jump: the wall clock of the start and monotonic time since. */
export function nowEpochMs(): number {
  return performance.timeOrigin + performance.now();
}

async function readWhole(body: Dispatcher.ResponseData["body"], isEventStream: boolean): Promise<boolean> {
  let tail = "";
  const decoder = new TextDecoder();
  for await (const part of body as AsyncIterable<Uint8Array>) {
    // The last event is looked for across the seam of two parts; its head is far shorter than what is kept.
    if (isEventStream) tail = DONE_EVENT.test(tail) ? tail : tail.slice(-64) + decoder.decode(part, { stream: true });
  }
  return !isEventStream || DONE_EVENT.test(tail);
}

/** Sends one request and reads its answer to the end. Never rejects: what went wrong is in the answer. */
export async function send(dispatcher: Dispatcher, shot: Shot, signal: AbortSignal): Promise<TrafficAnswer> {
  const [startedAt, sentAtEpochMs] = [performance.now(), nowEpochMs()];
  const { user, isStreaming } = shot;
  const ended = (
    body: TrafficAnswer["body"],
    status: number | null,
    headers: Parameters<typeof provenanceOf>[0],
  ): TrafficAnswer => {
    const latencyMs = performance.now() - startedAt;
    return { ...provenanceOf(headers), user, isStreaming, sentAtEpochMs, latencyMs, status, body };
  };
  let response: Dispatcher.ResponseData;
  try {
    response = await dispatcher.request({
      origin: shot.url.origin,
      path: shot.url.pathname + shot.url.search,
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: isStreaming ? "text/event-stream" : "application/json",
        [shot.userHeader]: user,
      },
      body: JSON.stringify({ question: shot.question, k: 10, seed: null, probe: false }),
      signal,
    });
  } catch {
    return ended(signal.aborted ? "unfinished" : "none", null, {});
  }
  const { statusCode, headers } = response;
  try {
    const isEventStream = String(headers["content-type"]).startsWith("text/event-stream");
    const isWhole = await readWhole(response.body, isEventStream);
    return ended(isWhole ? "whole" : "cut", statusCode, headers);
  } catch {
    return ended(signal.aborted ? "unfinished" : "cut", statusCode, headers);
  }
}
