/** How much of a body is read, and for how long. */
export interface BodyLimits {
  /** Of the body as it is read, unpacked when the client unpacks it. */
  readonly bytesMax: number;
  /** Aborts when there is no more time. Null: whoever made the body ends it in time. */
  readonly until: AbortSignal | null;
}

/** The beginning of a body, and why it is not all of it. */
export interface BodyStart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Null: `bytes` is the whole body. Otherwise a reader whose next chunk follows `bytes`. */
  readonly rest: ReadableStreamDefaultReader<Uint8Array> | null;
  readonly isLate: boolean;
}

/** The body as text; `text` holds what came when it is not whole. */
export interface BodyText {
  readonly kind: "whole" | "too-large" | "late";
  readonly text: string;
}

/**
 * Reads a body until it ends, passes `bytesMax` or takes too long; never holds more than `bytesMax` and one chunk.
 * Every body that the product takes from others comes through here. Rejects when the body breaks.
 */
export async function readStart(body: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<BodyStart> {
  if (body === null) return { bytes: new Uint8Array(0), rest: null, isLate: false };
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const deadline = startDeadline(limits.until);
  try {
    for (;;) {
      const part = await (deadline === null ? reader.read() : Promise.race([reader.read(), deadline.late]));
      if (part === null) return { bytes: join(chunks, length), rest: reader, isLate: true };
      if (part.done) return { bytes: join(chunks, length), rest: null, isLate: false };
      chunks.push(part.value);
      length += part.value.length;
      if (length > limits.bytesMax) return { bytes: join(chunks, length), rest: reader, isLate: false };
    }
  } finally {
    deadline?.stop();
  }
}

/** The same as text of UTF-8. What is left of a body that is too large or late is not waited for. */
export async function readText(body: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<BodyText> {
  const { bytes, rest, isLate } = await readStart(body, limits);
  if (rest !== null) rest.cancel().catch(() => {}); // The connection may be gone already.
  const text = new TextDecoder().decode(rest === null ? bytes : bytes.subarray(0, limits.bytesMax));
  return { kind: rest === null ? "whole" : isLate ? "late" : "too-large", text };
}

function startDeadline(until: AbortSignal | null): { readonly late: Promise<null>; stop(): void } | null {
  if (until === null) return null;
  let stop = (): void => {};
  const late = new Promise<null>((resolve) => {
    const onAbort = () => resolve(null);
    if (until.aborted) onAbort();
    until.addEventListener("abort", onAbort, { once: true });
    stop = () => until.removeEventListener("abort", onAbort);
  });
  return { late, stop };
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
