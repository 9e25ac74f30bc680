import type { Duplex } from "node:stream";

/** An answer that a connection owes. Answers leave a connection in the order of its requests (RFC 9112 §9.3.2). */
export interface OwedAnswer {
  readonly isClosed: boolean;
  /** Takes the one that came behind it on the connection; it calls that one when it is itself answered. */
  followedBy(next: OwedAnswer): void;
  /** Every earlier request of the connection is answered. */
  takeTurn(): void;
}

const LAST_ANSWER = Symbol("last answer owed");
type Marked = Duplex & { [LAST_ANSWER]?: OwedAnswer };

/** Whether an answer is owed on a connection: bytes written to it now would be taken for that answer. */
export function owesAnswer(socket: Marked): boolean {
  return socket[LAST_ANSWER] !== undefined && !socket[LAST_ANSWER].isClosed;
}

/** Puts an answer behind those its connection owes; says whether it has to wait for an earlier one. */
export function followsOn(socket: Marked, answer: OwedAnswer): boolean {
  const last = socket[LAST_ANSWER];
  socket[LAST_ANSWER] = answer;
  if (last === undefined || last.isClosed) return false;
  last.followedBy(answer);
  return true;
}
