import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { DOCUMENT_VERSION, type RoutingDocument, renderDocument, VERSION_HEADER } from "../../core/routing/document.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Controller } from "../controller.ts";
import type { NumberedEvent } from "../event-feed.ts";
import { problemResponse } from "./problem.ts";

const HEARTBEAT_MS = 10_000;

/** Events waiting for one slow reader before it is cut off; it comes back with its last id. */
const WAITING_MAX = 5_000;

interface Message {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/** Sends what `listen` delivers, in order, with a heartbeat, until the reader leaves or the controller stops. */
function stream(
  context: Context,
  first: readonly Message[],
  listen: (send: (message: Message) => void) => () => void,
  clock: Clock,
  stopped: AbortSignal,
): Response {
  return streamSSE(context, async (out) => {
    const waiting: Message[] = [...first];
    let wake = new AbortController();
    const end = () => wake.abort();
    let isTooSlow = false;
    const stopListening = listen((message) => {
      isTooSlow ||= waiting.length >= WAITING_MAX;
      if (isTooSlow) waiting.length = 0;
      else waiting.push(message);
      wake.abort();
    });
    out.onAbort(end);
    stopped.addEventListener("abort", end, { once: true });
    try {
      while (!out.aborted && !stopped.aborted && !isTooSlow) {
        for (let message = waiting.shift(); message !== undefined; message = waiting.shift())
          await out.writeSSE(message);
        wake = new AbortController();
        await clock.sleep(HEARTBEAT_MS, wake.signal);
        if (waiting.length === 0 && !out.aborted && !stopped.aborted) await out.write(": heartbeat\n\n");
      }
    } finally {
      stopListening();
      stopped.removeEventListener("abort", end);
    }
  });
}

/** Version of routing documents that a data plane says it reads; 1 when it does not say. */
export function versionOf(context: Context): number {
  const version = Number(context.req.header(VERSION_HEADER) ?? 1);
  return Number.isInteger(version) && version >= 1 ? version : 1;
}

const wantsStream = (context: Context) => (context.req.header("accept") ?? "").includes("text/event-stream");

/** `GET /v1/routing/{service}`: the current document, or a stream of documents that begins with it. */
export function getRouting(context: Context, controller: Controller, clock: Clock, stopped: AbortSignal): Response {
  const service = context.req.param("service") ?? "";
  const version = versionOf(context);
  context.header(VERSION_HEADER, String(DOCUMENT_VERSION));
  const current = controller.hub.current(service);
  if (!wantsStream(context)) {
    if (current !== null)
      return documentResponse(renderDocument(current, version), context.req.header("if-none-match"));
    return problemResponse("not-found", `no document of service "${service}" was published yet`);
  }
  const message = (document: RoutingDocument): Message => {
    return {
      event: "routing",
      id: `${document.epoch}.${document.seq}`,
      data: JSON.stringify(renderDocument(document, version)),
    };
  };
  const first = current === null ? [] : [message(current)];
  return stream(
    context,
    first,
    (send) => controller.hub.follow(service, (document) => send(message(document))),
    clock,
    stopped,
  );
}

function documentResponse(document: RoutingDocument, known: string | undefined): Response {
  const spoken = { [VERSION_HEADER]: String(DOCUMENT_VERSION) };
  const etag = `"${document.epoch}.${document.seq}${document.kid ? `.${document.kid}` : ""}"`;
  return known === etag
    ? new Response(null, { status: 304, headers: { etag, ...spoken } })
    : Response.json(document, { headers: { etag, ...spoken } });
}

/** `GET /v1/events`: everything that happens; `Last-Event-ID` resumes where a reader left. */
export function getEvents(context: Context, controller: Controller, clock: Clock, stopped: AbortSignal): Response {
  const lastId = Number(context.req.header("last-event-id") ?? context.req.query("after") ?? Number.NaN);
  const message = ({ id, ts, event }: NumberedEvent): Message => {
    return { event: event.type, id: String(id), data: JSON.stringify({ ts, ...event }) };
  };
  const first = Number.isInteger(lastId) ? since(controller, lastId, clock).map(message) : [];
  return stream(context, first, (send) => controller.feed.listen((event) => send(message(event))), clock, stopped);
}

/** What a returning reader has missed, with a word where part of it is gone: after a restart, or after long. */
function since(controller: Controller, lastId: number, clock: Clock): readonly NumberedEvent[] {
  const missed = controller.feed.since(lastId);
  if (controller.feed.has(lastId)) return missed;
  const text = "events were lost since the last one you saw; read the rollouts again";
  return [{ id: lastId, ts: clock.wallMs(), event: { type: "note", rollout: null, text } }, ...missed];
}
