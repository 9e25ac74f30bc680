import { headersFrom } from "./node-request.ts";

/** The part of a Node.js response (`ServerResponse`) the adapters use. */
export interface NodeResponse {
  statusCode: number;
  statusMessage?: string;
  readonly headersSent: boolean;
  setHeader(name: string, value: string | readonly string[]): unknown;
  removeHeader(name: string): void;
  getHeaders(): Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** `any`: Node's overloads take a chunk, an encoding and a callback in any legal combination. */
  write(...given: any[]): boolean;
  end(...given: any[]): unknown;
  writeHead(...given: any[]): unknown;
  flushHeaders(): void;
  destroy(...given: any[]): unknown;
  emit(event: string, ...given: any[]): boolean;
  on(event: string, listener: (...given: any[]) => void): unknown;
  removeListener(event: string, listener: (...given: any[]) => void): unknown;
}

/** Status, reason and headers of an answer, as they were when its first byte was written. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: readonly (readonly [name: string, value: unknown])[];
}

type Listener = (...given: any[]) => void;

/** Bytes a handler may be ahead of its reader before `write` asks it to wait for `drain`. */
const AHEAD_BYTES_MAX = 65_536;
/** What Node.js replaces on a response while its answer is collected. */
const MEMBERS =
  "write end writeHead flushHeaders setHeader appendHeader removeHeader destroy emit on addListener headersSent _header writableEnded finished".split(
    " ",
  );

/** Node's own conversion of text, so that every encoding comes out as Node sends it. */
const NodeBuffer = (globalThis as unknown as { Buffer?: { from(text: string, encoding?: string): Uint8Array } }).Buffer;

const failure = (code: string, message: string) => Object.assign(new TypeError(`fence: ${message}`), { code });

function bytesOf(chunk: unknown, encoding: unknown): Uint8Array {
  if (chunk === undefined || chunk === null) return new Uint8Array(0);
  if (chunk instanceof Uint8Array) return chunk.slice(); // The handler may use its buffer again.
  if (typeof chunk !== "string")
    throw failure("ERR_INVALID_ARG_TYPE", `a chunk is text or bytes, found ${typeof chunk}`);
  if (NodeBuffer === undefined) return new TextEncoder().encode(chunk);
  return NodeBuffer.from(chunk, typeof encoding === "string" && encoding !== "buffer" ? encoding : "utf8");
}

const hasBody = (status: number) => status >= 200 && status !== 204 && status !== 205 && status !== 304;

/**
 * Collects what a handler writes to a Node.js response instead of sending it. To the handler the response behaves as
 * ever: headers are sent with the first byte and cannot be changed afterwards, `write` asks it to wait, a second `end`
 * does nothing. That the client left is kept from it until it is done: its work goes on and its answer is stored.
 */
export class NodeCapture {
  /**
   * Settles with the head (without a body: at the end); the body follows as it is written. Rejects when it broke
   * before.
   */
  readonly answer: Promise<Response>;
  readonly #res: NodeResponse;
  readonly #own: ReadonlyMap<string, PropertyDescriptor | undefined>;
  readonly #native: Pick<NodeResponse, "write" | "end" | "emit" | "destroy" | "on">;
  readonly #onLeft: () => void;
  #replaced: string[] = [...MEMBERS];
  readonly #chunks: Uint8Array[] = [];
  readonly #callbacks: Listener[] = [];
  #aheadBytes = 0;
  #isFull = false;
  #failed: { readonly cause: unknown } | null = null;
  #wake: () => void = () => {};
  #settle!: { resolve(answer: Response): void; reject(cause: unknown): void };
  head: AnswerHead | null = null;
  isEnded = false;
  /** The client closed the connection before the answer was complete. */
  hasClientLeft = false;

  constructor(res: NodeResponse, onLeft: () => void) {
    this.#res = res;
    this.#onLeft = onLeft;
    this.#own = new Map(MEMBERS.map((name) => [name, Object.getOwnPropertyDescriptor(res, name)]));
    const { write, end, emit, destroy, on } = res;
    this.#native = { write, end, emit, destroy, on };
    this.answer = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.answer.catch(() => {}); // Its reader may come later.
    this.#replace();
  }

  #replace(): void {
    const { setHeader, removeHeader } = this.#res;
    const { appendHeader } = this.#res as { appendHeader?: (name: string, value: unknown) => unknown };
    const beforeHead = (call: ((...given: any[]) => unknown) | undefined) =>
      call &&
      ((...given: any[]) => {
        if (this.head !== null) throw failure("ERR_HTTP_HEADERS_SENT", "headers are set after they are sent");
        return call.apply(this.#res, given);
      });
    const values: Record<string, unknown> = {
      write: (...given: unknown[]) => this.#write(given),
      end: (...given: unknown[]) => this.#end(given),
      writeHead: (...given: unknown[]) => this.#writeHead(given),
      flushHeaders: () => this.#begin(),
      setHeader: beforeHead(setHeader),
      removeHeader: beforeHead(removeHeader),
      appendHeader: beforeHead(appendHeader),
      destroy: (...given: unknown[]) => this.#destroy(given),
      emit: (event: string, ...given: unknown[]) => this.#emit(event, given),
      ...this.#listening(),
    };
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) Object.defineProperty(this.#res, name, { value, configurable: true, writable: true });
    }
    const isEnded = { get: () => this.isEnded, configurable: true };
    Object.defineProperty(this.#res, "headersSent", { get: () => this.head !== null, configurable: true });
    // Older middleware (express-session among them) looks here instead.
    Object.defineProperty(this.#res, "_header", {
      get: () => (this.head === null ? null : "sent"),
      configurable: true,
    });
    Object.defineProperty(this.#res, "writableEnded", isEnded);
    Object.defineProperty(this.#res, "finished", isEnded);
  }

  /** `drain` is ours to tell: middleware in front (compression) would keep its listeners for itself. */
  #listening() {
    const { on } = Object.getPrototypeOf(this.#res) as NodeResponse;
    const listen = (event: string, listener: Listener) =>
      (event === "drain" ? on : this.#native.on).call(this.#res, event, listener);
    return { on: listen, addListener: listen };
  }

  /** Gives the response back as it was: what is written from now on is sent. */
  release(): void {
    for (const name of this.#replaced.splice(0)) {
      const descriptor = this.#own.get(name);
      if (descriptor !== undefined) Object.defineProperty(this.#res, name, descriptor);
      else delete (this.#res as unknown as Record<string, unknown>)[name];
    }
  }

  /** Gives everything back but what the handler writes with: its later chunks still go through `answer`. */
  releaseForStream(): Pick<NodeResponse, "write" | "on"> {
    this.release();
    const write = (...given: unknown[]) => this.#write(given);
    const end = (...given: unknown[]) => this.#end(given);
    const replaced = { write, end, ...this.#listening() };
    Object.assign(this.#res, replaced);
    this.#replaced = Object.keys(replaced);
    return this.#native;
  }

  /** Runs what the handler left to be called at its end. */
  finish(): void {
    for (const callback of this.#callbacks.splice(0)) callback();
  }

  /** Ends the answer as broken: nobody will complete it. */
  fail(cause: unknown): void {
    if (this.isEnded || this.#failed !== null) return;
    this.#failed = { cause };
    this.#settle.reject(cause);
    this.#wake();
  }

  /** Headers are fixed here, through the response's own `writeHead`, because middleware hooks into that. */
  #begin(): void {
    if (this.head === null) this.#res.writeHead(this.#res.statusCode);
  }

  #writeHead([status, ...given]: readonly unknown[]): NodeResponse {
    const code = Math.trunc(Number(status));
    if (this.head !== null) throw failure("ERR_HTTP_HEADERS_SENT", "the head is written after it is sent");
    if (!(code >= 100 && code <= 999)) throw new RangeError(`fence: a status is 100 to 999, found ${status}`);
    this.#res.statusCode = code;
    if (typeof given[0] === "string") this.#res.statusMessage = given[0];
    setHeaders(this.#res, typeof given[0] === "string" ? given[1] : (given[0] ?? given[1]));
    const headers = Object.entries(this.#res.getHeaders()).map(([name, value]) => [name, value] as const);
    this.head = { status: code, reason: this.#res.statusMessage, headers };
    if (hasBody(code)) this.#settle.resolve(this.#response(this.head));
    return this.#res;
  }

  #response({ status, reason, headers }: AnswerHead): Response {
    // A status no web standard holds is no answer to store; it leaves as it is, and the attempt counts as failed.
    const known = status >= 200 && status <= 599 ? status : 500;
    const body = hasBody(status) ? this.#body() : null;
    return new Response(body, { status: known, statusText: reason ?? "", headers: headersFrom(headers) });
  }

  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          while (this.#chunks.length === 0 && !this.isEnded && this.#failed === null) {
            await new Promise<void>((resolve) => (this.#wake = resolve));
          }
          const chunk = this.#chunks.shift();
          if (chunk !== undefined) {
            controller.enqueue(chunk);
            this.#taken(chunk.length);
          } else if (this.#failed !== null) controller.error(this.#failed.cause);
          else controller.close();
        },
        cancel: () => {
          this.#chunks.length = 0;
          this.#taken(this.#aheadBytes);
        },
      },
      { highWaterMark: 0 },
    );
  }

  #taken(bytes: number): void {
    this.#aheadBytes -= bytes;
    if (!this.#isFull || this.#aheadBytes >= AHEAD_BYTES_MAX) return;
    this.#isFull = false;
    this.#native.emit.call(this.#res, "drain");
  }

  #push(bytes: Uint8Array): void {
    if (bytes.length === 0 || !hasBody((this.head as AnswerHead).status)) return;
    this.#chunks.push(bytes);
    this.#aheadBytes += bytes.length;
  }

  #write(given: readonly unknown[]): boolean {
    const bytes = bytesOf(given[0], given[1]);
    const callback = given.find((one) => typeof one === "function") as Listener | undefined;
    if (this.isEnded || this.#failed !== null) {
      const late = failure("ERR_STREAM_WRITE_AFTER_END", "the answer was complete; this chunk is dropped");
      if (callback !== undefined) queueMicrotask(() => callback(late));
      return false;
    }
    this.#begin();
    this.#push(bytes);
    this.#wake();
    if (callback !== undefined) queueMicrotask(() => callback());
    this.#isFull = this.#aheadBytes >= AHEAD_BYTES_MAX;
    return !this.#isFull;
  }

  #end(given: readonly unknown[]): NodeResponse {
    const [chunk, encoding] = typeof given[0] === "function" ? [] : given;
    const callback = given.find((one) => typeof one === "function") as Listener | undefined;
    if (this.isEnded) {
      const again = failure("ERR_STREAM_ALREADY_FINISHED", "the answer was complete already");
      if (callback !== undefined) queueMicrotask(() => callback(again));
      return this.#res;
    }
    const bytes = bytesOf(chunk, encoding);
    this.#begin();
    this.#push(bytes);
    this.isEnded = true;
    this.#settle.resolve(this.#response(this.head as AnswerHead)); // The first call counts.
    if (callback !== undefined) this.#callbacks.push(callback);
    this.#wake();
    return this.#res;
  }

  #destroy(given: readonly unknown[]): unknown {
    this.fail(given[0] ?? new Error("fence: the handler destroyed its response"));
    return this.#native.destroy.apply(this.#res, given as unknown[]);
  }

  #emit(event: string, given: readonly unknown[]): boolean {
    if (event !== "close") return this.#native.emit.call(this.#res, event, ...given);
    this.hasClientLeft = true;
    this.#onLeft();
    return true;
  }
}

/** Headers as `writeHead` takes them: an object, names and values in turn, or pairs. */
function setHeaders(res: NodeResponse, given: unknown): void {
  if (typeof given !== "object" || given === null) return;
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) res.setHeader(name, value as string);
    return;
  }
  const isPairs = Array.isArray(given[0]);
  const flat: readonly unknown[] = isPairs ? given.flatMap(([name, value]) => [name, value]) : given;
  const values = new Map<string, string[]>();
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = String(flat[index]).toLowerCase();
    values.set(name, [...(values.get(name) ?? []), ...[flat[index + 1]].flat().map(String)]);
  }
  for (const [name, all] of values) res.setHeader(name, all.length === 1 ? (all[0] as string) : all);
}
