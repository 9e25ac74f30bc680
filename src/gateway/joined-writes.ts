import type { Socket } from "node:net";

/** Pieces that come together are joined up to this; longer ones stay where they are, for copying them costs more. */
const JOINED_BYTES = 16_384;
/** Undici and node:http write a message's head, its body and an empty end; what has more pieces is a stream. */
const PIECES_MAX = 4;

interface Piece {
  readonly chunk: string | Buffer;
  readonly encoding: string;
}

/** What a socket implements of a Writable; its types leave it out. @source Node.js "Implementing a writable stream" */
interface Writing {
  _write(chunk: string | Buffer, encoding: string, done: (error?: Error | null) => void): void;
  _writev(pieces: readonly Piece[], done: (error?: Error | null) => void): void;
}

/**
 * Has a socket write the pieces of a small message as one: a gathered write of a head, a short body and an empty end
 * costs Node.js more than a plain one of the same bytes (`npm run bench:against`).
 */
export function joinSmallWrites(socket: Socket): void {
  const writing = socket as unknown as Writing;
  const gather = writing._writev;
  writing._writev = function (this: Writing, pieces, done) {
    const joined = joinedPieces(pieces);
    if (joined === null) gather.call(this, pieces, done);
    else this._write(joined, "latin1", done);
  };
}

/** The bytes of all pieces as text, one character a byte; null where they are too many or are text of another kind. */
export function joinedPieces(pieces: readonly Piece[]): string | null {
  if (pieces.length > PIECES_MAX) return null;
  let joined = "";
  for (const { chunk, encoding } of pieces) {
    if (chunk.length === 0) continue;
    if (joined.length + chunk.length > JOINED_BYTES) return null;
    if (typeof chunk !== "string") joined += chunk.toString("latin1");
    else if (encoding === "latin1") joined += chunk;
    else return null;
  }
  return joined;
}
