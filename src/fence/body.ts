/** The first bytes of a body, and the rest when there is more than the limit. */
export interface BodyStart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Null: `bytes` is the whole body. Otherwise a reader whose next chunk follows `bytes`. */
  readonly rest: ReadableStreamDefaultReader<Uint8Array> | null;
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

/** Reads a body until it ends or passes `bytesMax`; never holds more than `bytesMax` and one chunk. */
export async function readStart(body: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<BodyStart> {
  if (body === null) return { bytes: new Uint8Array(0), rest: null };
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: join(chunks, length), rest: null };
    chunks.push(value);
    length += value.length;
    if (length > bytesMax) return { bytes: join(chunks, length), rest: reader };
  }
}
