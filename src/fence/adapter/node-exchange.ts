import type { Clock } from "../../ports/clock.ts";
import type { FenceContext, Idempotency } from "../idempotency.ts";
import { bodyNotKept } from "../problem-response.ts";
import { systemClock } from "../system.ts";
import { type NodeBodyRequest, readNodeBody } from "./node-body.ts";
import { NodeCapture, type NodeResponse } from "./node-capture.ts";
import { deliver } from "./node-deliver.ts";
import { headerOf, webRequestOf } from "./node-request.ts";

export interface NodeFenceOptions {
  /**
   * How long a handler may go on after its client left before the attempt counts as stopped half-way. Until then the
   * key is in flight. Default 5 min.
   */
  readonly abandonedMs?: number;
  readonly clock?: Clock;
}

/** A request on which connect-timeout may have given up. */
export interface NodeFencedRequest extends NodeBodyRequest {
  /** Set by the fence while a handler runs under a key. */
  fence?: FenceContext | null;
  readonly timedout?: boolean;
}

/** What becomes of one request. */
export type NodeStart =
  /** It needs no key: let it through untouched. */
  | { readonly kind: "pass" }
  /** The handler may run now, once; what it writes is collected, stored and then sent. */
  | { readonly kind: "run"; readonly fence: FenceContext; readonly run: NodeRun }
  /** It may not run: send this. */
  | { readonly kind: "answer"; readonly answer: Response }
  /** The client left before its body was complete. */
  | { readonly kind: "gone" };

/** A handler at work. */
interface NodeRun {
  readonly capture: NodeCapture;
  /** Settles when the handler itself is over; set it where the framework tells. */
  work: Promise<unknown> | null;
  /** Settles when the answer was sent, or will never be. Does not reject. */
  readonly done: Promise<void>;
}

const ABANDONED_MS = 300_000;
const entered = new WeakSet<object>();

const NOT_KEPT = "Put the fence before the body parser, or let the parser keep the bytes in `rawBody` of the request.";

/**
 * Claims the key of a request. The handler runs in the caller: when this says so, and on the same response. One attempt
 * holds the key until its handler is over, whether its client waits or not.
 */
export async function startExchange(
  idempotency: Idempotency,
  req: NodeFencedRequest,
  res: NodeResponse,
  options: NodeFenceOptions = {},
): Promise<NodeStart> {
  const isInside = entered.has(res); // The fence stands twice on this route; the outer one holds the key.
  if (isInside || !idempotency.needsKey(req.method ?? "GET", (name) => headerOf(req, name))) {
    return { kind: "pass" };
  }
  entered.add(res);
  const body = await readNodeBody(req, idempotency.requestBytesMax);
  if (body.kind === "gone") return body;
  if (body.kind === "not-kept") return { kind: "answer", answer: bodyNotKept(NOT_KEPT) };
  return new Promise((resolve, reject) => {
    let run: Running | null = null;
    const handled = idempotency.handle(webRequestOf(req, body.bytes), (_, fence) => {
      run = new Running(req, res, options);
      resolve({ kind: "run", fence: fence as FenceContext, run });
      return run.answer();
    });
    handled.then(
      (answer) => (run === null ? resolve({ kind: "answer", answer }) : run.send(answer)),
      (error: unknown) => (run === null ? reject(error) : run.stop()),
    );
  });
}

class Running implements NodeRun {
  readonly capture: NodeCapture;
  readonly done: Promise<void>;
  work: Promise<unknown> | null = null;
  readonly #req: NodeFencedRequest;
  readonly #res: NodeResponse;
  readonly #base: ReturnType<NodeResponse["getHeaders"]>;
  readonly #over = new AbortController();
  readonly #bound: () => Promise<void>;
  #answer: Response | null = null;
  #isSent = false;
  #settleDone!: () => void;

  constructor(req: NodeFencedRequest, res: NodeResponse, options: NodeFenceOptions) {
    const { abandonedMs = ABANDONED_MS, clock = systemClock } = options;
    this.#req = req;
    this.#res = res;
    this.#base = { ...res.getHeaders() };
    this.#bound = () => clock.sleep(abandonedMs, this.#over.signal);
    this.done = new Promise((resolve) => (this.#settleDone = resolve));
    this.capture = new NodeCapture(res, () => {
      const late = new Error(`fence: the client left and the handler did not end within ${abandonedMs} ms`);
      void this.#bound().then(() => this.capture.fail(late));
    });
  }

  /** The handler's answer. One of a timeout is sent at once, while the handler keeps its key until it is over. */
  async answer(): Promise<Response> {
    const answer = await this.capture.answer;
    this.#answer = answer;
    const isTimedOut = this.#req.timedout === true;
    if (answer.status < 500 || (this.work === null && !isTimedOut)) return answer;
    await this.#deliver(answer);
    const over = isTimedOut ? this.#lateWrite() : (this.work as Promise<unknown>);
    await Promise.race([over.catch(() => {}), this.#bound()]);
    return answer;
  }

  async send(answer: Response): Promise<void> {
    await this.#deliver(answer);
    this.#close();
  }

  /** The answer broke: nothing more is sent. */
  stop(): void {
    this.capture.release();
    this.capture.finish();
    this.#res.destroy();
    this.#close();
  }

  async #deliver(answer: Response): Promise<void> {
    if (this.#isSent) return;
    this.#isSent = true;
    const isOwn = answer === this.#answer;
    await deliver(this.#res, this.capture, this.#base, answer, isOwn).catch(() => this.#res.destroy());
  }

  /** Settles when the handler writes although its answer was given for it. */
  #lateWrite(): Promise<void> {
    const res = this.#res as unknown as Record<string, (...given: unknown[]) => unknown>;
    return new Promise((resolve) => {
      for (const name of ["setHeader", "writeHead", "write", "end"]) {
        const native = res[name] as (...given: unknown[]) => unknown;
        res[name] = (...given) => {
          resolve();
          return native.apply(res, given);
        };
      }
    });
  }

  #close(): void {
    this.#over.abort();
    this.#settleDone();
  }
}
