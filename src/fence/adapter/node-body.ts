import { headerOf, type NodeRequest } from "./node-request.ts";

/** A request whose body may still be unread, or may have been read by a parser. */
export interface NodeBodyRequest extends NodeRequest {
  /** What a parser made of the body. Bytes and text count as raw; anything else does not. */
  body?: unknown;
  /** Raw bytes a parser kept; they win over everything else. */
  rawBody?: Uint8Array | string | undefined;
  readonly httpVersionMajor?: number;
  /** True once the last byte of the message arrived. */
  readonly complete?: boolean;
  readonly readableDidRead?: boolean;
  readonly readableEnded?: boolean;
  readonly readableEncoding?: string | null;
  read?(): unknown;
  unshift?(chunk: unknown): void;
  on?(event: string, listener: (...given: any[]) => void): unknown;
  removeListener?(event: string, listener: (...given: any[]) => void): unknown;
}

export type NodeBody =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Somebody read the body and kept no raw bytes. */
  | { readonly kind: "not-kept" }
  /** The client left before its body was complete. */
  | { readonly kind: "gone" };

const EMPTY: NodeBody = { kind: "bytes", bytes: new Uint8Array(0) };

/** Whether a message may carry a body, by its head alone. @source RFC 9112 §6.3 */
function mayHaveBody(request: NodeBodyRequest): boolean {
  if (headerOf(request, "transfer-encoding") !== null) return true;
  const length = headerOf(request, "content-length");
  if (length !== null) return length.trim() !== "0";
  return (request.httpVersionMajor ?? 1) >= 2 && request.readableEnded !== true;
}

const isUnread = (request: NodeBodyRequest) =>
  request.read !== undefined &&
  request.readableDidRead === false &&
  request.readableEnded !== true &&
  (request.readableEncoding ?? null) === null;

/** Decoding puts this where bytes were no text; two different bodies could then look alike. */
const REPLACED = "\ufffd";

/**
 * The raw bytes of a request: the ones a parser kept, else read here and put back, so that parsers behind the fence
 * find them. A body that nobody can give exactly is `not-kept`, never empty. Reads at most a little more than
 * `bytesMax`.
 */
export async function readNodeBody(request: NodeBodyRequest, bytesMax: number): Promise<NodeBody> {
  const { rawBody, body } = request;
  if (rawBody !== undefined) return bytesOf(rawBody);
  if (body instanceof Uint8Array) return bytesOf(body);
  if (!mayHaveBody(request)) return body === undefined || body === null || isEmptyObject(body) ? EMPTY : keptOf(body);
  return isUnread(request) ? readAndPutBack(request, bytesMax) : keptOf(body);
}

const bytesOf = (body: Uint8Array | string): NodeBody => ({
  kind: "bytes",
  bytes: typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body),
});

const keptOf = (body: unknown): NodeBody =>
  typeof body === "string" && !body.includes(REPLACED) ? bytesOf(body) : { kind: "not-kept" };

/** Express 4 sets `{}` where it parsed nothing. */
const isEmptyObject = (body: unknown) => typeof body === "object" && body !== null && Object.keys(body).length === 0;

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/**
 * Reads to the last byte, but not to the `end` event, and puts everything back in the same turn: Node.js looks for such
 * a put-back before it ends a stream.
 * @source nodejs/node lib/internal/streams/readable.js, endReadableNT
 */
function readAndPutBack(request: NodeBodyRequest, bytesMax: number): Promise<NodeBody> {
  const lengthWanted = Number(headerOf(request, "content-length") ?? Number.NaN);
  const chunks: Uint8Array[] = [];
  let length = 0;
  return new Promise((resolve) => {
    const settle = (body: NodeBody) => {
      for (const [event, listener] of listeners) request.removeListener?.(event, listener);
      resolve(body);
    };
    const onReadable = () => {
      for (let chunk = request.read?.(); chunk instanceof Uint8Array; chunk = request.read?.()) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > bytesMax) return settle({ kind: "bytes", bytes: joined(chunks) }); // Too long: refused, not read.
      }
      if (length === 0 || !(request.complete === true || length === lengthWanted)) return;
      for (const chunk of chunks.reverse()) request.unshift?.(chunk);
      settle({ kind: "bytes", bytes: joined(chunks.reverse()) });
    };
    const onEnd = () => {
      // An empty chunked body has ended for good: no parser may wait for it.
      delete (request.headers as Record<string, unknown>)["transfer-encoding"];
      settle(EMPTY);
    };
    const onGone = () => settle({ kind: "gone" });
    const listeners: readonly (readonly [string, () => void])[] = [
      ["readable", onReadable],
      ["end", onEnd],
      ["error", onGone],
      ["close", onGone],
    ];
    for (const [event, listener] of listeners) request.on?.(event, listener);
  });
}
