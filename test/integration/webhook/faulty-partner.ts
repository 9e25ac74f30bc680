import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ARM_HEADER, EMITTER_HEADER, EPOCH_HEADER, POST_TIMEOUT_MS } from "./relay-config.ts";

/** `cut` breaks off inside the answer's first line, after the webhook was taken; `drop` before it was looked at. */
export const FAULTS = ["500", "503", "cut", "drop", "slow", "late"] as const;
type Fault = (typeof FAULTS)[number];
type FaultShares = Readonly<Partial<Record<Fault, number>>>;

/** What a 503 asks for, in seconds. */
export const RETRY_AFTER_S = 2_000;
const SLOW_MS = 150;

/** One post as it arrived, and what came of it. */
export interface Post {
  readonly webhookId: string;
  readonly emitter: string;
  readonly epoch: number;
  readonly arm: string;
  /** Monotonic. */
  readonly atMs: number;
  /** The posts under this id, this one included. */
  readonly nth: number;
  readonly fault: Fault | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** What the handler behind the faults said; null where it was not asked. */
  status: number | null;
}

export interface FaultyPartner {
  readonly origin: string;
  /** In the order of their arrival. */
  readonly posts: readonly Post[];
  /** How many different ids have arrived. */
  ids(): number;
  close(): Promise<void>;
}

export interface FaultyPartnerOptions {
  readonly seed: number;
  /** Share of each fault among the first posts of an id, 0..1, by what its arm header says. */
  readonly sharesOf: (arm: string) => FaultShares;
  readonly handle: (request: Request) => Promise<Response>;
  /** Called when a post has arrived, before it is answered. */
  readonly onPost?: (post: Post) => void;
}

/** Uniform in [0, 1) and the same at every call: what happens to a post depends on its id, not on who comes first. */
export function drawFor(seed: number, ...parts: readonly (string | number)[]): number {
  return (
    createHash("sha256")
      .update([seed, ...parts].join(" "))
      .digest()
      .readUInt32BE() /
    2 ** 32
  );
}

/** Second posts fail as well, four times as rarely; third ones do not. */
function faultOf({ seed, sharesOf }: FaultyPartnerOptions, webhookId: string, arm: string, nth: number): Fault | null {
  if (nth > 2) return null;
  const shares = sharesOf(arm);
  let draw = drawFor(seed, "fault", webhookId + arm, nth) * (nth === 1 ? 1 : 4);
  for (const fault of FAULTS) {
    draw -= shares[fault] ?? 0;
    if (draw < 0) return fault;
  }
  return null;
}

async function bytesOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

const headersOf = ({ headers }: IncomingMessage) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

async function answer(options: FaultyPartnerOptions, post: Post, request: IncomingMessage, response: ServerResponse) {
  const { fault, headers, body } = post;
  if (fault === "500") return response.writeHead(500).end();
  if (fault === "503") return response.writeHead(503, { "retry-after": `${RETRY_AFTER_S}` }).end();
  if (fault === "drop") return request.socket.destroy();
  if (fault === "slow") await sleep(SLOW_MS);
  const taken = await options.handle(new Request("http://partner.test/hooks", { method: "POST", headers, body }));
  post.status = taken.status;
  if (fault === "late") await sleep(POST_TIMEOUT_MS + SLOW_MS);
  if (fault === "cut") return request.socket.end("HTTP/1.1 202 Acc");
  return response.writeHead(taken.status, Object.fromEntries(taken.headers)).end(await taken.text());
}

/** A real HTTP server whose faults stand between the sender and an honest handler. */
export async function openFaultyPartner(options: FaultyPartnerOptions): Promise<FaultyPartner> {
  const posts: Post[] = [];
  const seen = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const body = await bytesOf(request).catch(() => null);
    if (body === null) return; // Its sender was killed before the last byte.
    const headers = headersOf(request);
    const [webhookId = "", arm = ""] = [headers["webhook-id"], headers[ARM_HEADER]];
    const nth = (seen.get(webhookId + arm) ?? 0) + 1;
    seen.set(webhookId + arm, nth);
    const post: Post = {
      webhookId,
      emitter: headers[EMITTER_HEADER] ?? "",
      epoch: Number(headers[EPOCH_HEADER]),
      arm,
      atMs: performance.now(),
      nth,
      fault: faultOf(options, webhookId, arm, nth),
      headers,
      body,
      status: null,
    };
    posts.push(post);
    options.onPost?.(post);
    await answer(options, post, request, response);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    ids: () => seen.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
