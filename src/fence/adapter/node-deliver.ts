import type { AnswerHead, NodeCapture, NodeResponse } from "./node-capture.ts";

type HeaderMap = ReturnType<NodeResponse["getHeaders"]>;

/** Belong to one transmission; Node.js sets them for the bytes it really sends. */
const OF_TRANSMISSION: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "trailer"]);

/** Writes status and headers of `answer` over what the response has. */
export function applyHead(res: NodeResponse, answer: Response, status = answer.status): void {
  res.statusCode = status;
  if (answer.statusText !== "") res.statusMessage = answer.statusText;
  for (const [name, value] of answer.headers) {
    if (name !== "set-cookie" && !OF_TRANSMISSION.has(name)) res.setHeader(name, value);
  }
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader("set-cookie", cookies);
}

/** Sends an answer for which no handler ran: a replay or a refusal. Headers that middleware set before stay. */
export async function sendAnswer(res: NodeResponse, answer: Response): Promise<void> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  applyHead(res, answer);
  endWith(res, bytes);
}

function endWith(res: NodeResponse, bytes: Uint8Array): void {
  if (bytes.length === 0) res.end();
  else res.end(bytes);
}

/** Back to the headers from before the handler, without those the handler removed; then the answer's. */
function replaceHead(
  res: NodeResponse,
  base: HeaderMap,
  head: AnswerHead | null,
  answer: Response,
  own: boolean,
): void {
  const kept = new Set(head?.headers.map(([name]) => name) ?? Object.keys(base));
  for (const name of Object.keys(res.getHeaders())) res.removeHeader(name);
  res.statusMessage = undefined as unknown as string; // Node.js fills in the standard one.
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && kept.has(name) && !OF_TRANSMISSION.has(name)) res.setHeader(name, value as string);
  }
  applyHead(res, answer, own ? head?.status : answer.status);
}

/** Sends the answer of a run, once it is stored; a stream is passed on as the handler writes it. */
export async function deliver(
  res: NodeResponse,
  capture: NodeCapture,
  base: HeaderMap,
  answer: Response,
  isOwn: boolean,
) {
  const isWhole = capture.isEnded || answer.body === null || capture.head === null;
  const bytes = isWhole ? new Uint8Array(await answer.arrayBuffer()) : null;
  if (capture.hasClientLeft) {
    await answer.body?.cancel().catch(() => {});
    capture.release();
    capture.finish();
    res.emit("close"); // Kept from the handler until now.
    return;
  }
  if (bytes === null) return passOn(res, capture, base, answer, isOwn);
  capture.release();
  replaceHead(res, base, capture.head, answer, isOwn);
  endWith(res, bytes);
  capture.finish();
}

async function passOn(res: NodeResponse, capture: NodeCapture, base: HeaderMap, answer: Response, isOwn: boolean) {
  const native = capture.releaseForStream();
  replaceHead(res, base, capture.head, answer, isOwn);
  res.writeHead(res.statusCode);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  let isClosed = false;
  let wake = () => {};
  const onClose = () => {
    isClosed = true;
    wake();
    reader.cancel().catch(() => {});
  };
  const onDrain = () => wake();
  native.on.call(res, "close", onClose);
  native.on.call(res, "drain", onDrain);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isClosed) return;
      if (done) break;
      const hasRoom = native.write.call(res, value);
      (res as { flush?: () => void }).flush?.(); // Compression in front holds chunks back otherwise.
      if (!hasRoom) await new Promise<void>((resolve) => (wake = resolve));
    }
    capture.release();
    res.end();
  } catch {
    capture.release();
    res.destroy(); // The answer broke, or could not be recorded: the client must not take it for whole.
  } finally {
    res.removeListener("close", onClose);
    res.removeListener("drain", onDrain);
    capture.finish();
  }
}
