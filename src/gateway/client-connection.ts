import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** An answer that a connection owes. Answers leave a connection in the order of its requests (RFC 9112 §9.3.2). */
export interface OwedAnswer {
  readonly isClosed: boolean;
  /** Takes the one that came behind it on the connection; it calls that one when it is itself answered. */
  followedBy(next: OwedAnswer): void;
  /** Every earlier request of the connection is answered. */
  takeTurn(): void;
}

/** Who a connection comes from. */
export interface Peer {
  /** Address in its shortest form, an IPv4 one never mapped into IPv6; "" when the socket is gone already. */
  readonly address: string;
  /** The operator lists it in `trustedProxies`: what it says about others is believed. */
  readonly isTrusted: boolean;
}

const HEAD_END = "\r\n\r\n";
const CONNECTION = Symbol("client connection");
type Marked = Duplex & { [CONNECTION]?: ClientConnection };

/**
 * One connection of a client. It gives node:http its bytes one request at a time: what a client pipelines behind a
 * request stays bytes until that request is answered, so that a connection never holds more than one chunk of it.
 * node:http would make objects of everything it has read, about a hundred times as large.
 *
 * Where a request really ends only the parser knows; cutting at the end of every header section merely ensures that it
 * meets at most one new request in a piece.
 */
export class ClientConnection {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #parse: (chunk: Buffer) => void;
  #req: IncomingMessage | null = null;
  #res: ServerResponse | null = null;
  #last: OwedAnswer | null = null;
  #bodyBytesLeft = 0;
  #rest: Buffer | null = null;
  #isOver = false;

  /** Takes over the bytes of a socket that node:http already listens to. */
  constructor(socket: Socket, peer: Peer) {
    this.peer = peer;
    this.#socket = socket;
    const [parse] = socket.listeners("data") as ((chunk: Buffer) => void)[];
    if (parse === undefined) throw new Error("node:http does not read this socket");
    this.#parse = parse;
    socket.removeListener("data", parse);
    (socket as Marked)[CONNECTION] = this;
    socket.on("data", onData);
  }

  /** Nothing that still comes is read: it stands behind something that was refused, and nobody can vouch for it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** An answer is owed: bytes written now would be taken for that answer. */
  get owesAnswer(): boolean {
    return this.#last !== null && !this.#last.isClosed;
  }

  /** @param bodyBytes length of the request's body; 0 when there is none or it is chunked */
  begin(req: IncomingMessage, res: ServerResponse, bodyBytes: number): void {
    this.#req = req;
    this.#res = res;
    this.#bodyBytesLeft = bodyBytes;
  }

  /** Puts an answer behind those the connection owes; says whether it has to wait for an earlier one. */
  follows(answer: OwedAnswer): boolean {
    const last = this.#last;
    this.#last = answer;
    if (last === null || last.isClosed) return false;
    last.followedBy(answer);
    return true;
  }

  /** The answer is out. Goes on with what waited, after other connections have had their turn. */
  answered(res: ServerResponse): void {
    if (this.#res === res) this.#res = null;
    if (this.#rest !== null) setImmediate(goOn, this);
  }

  end(): void {
    this.#isOver = true;
    this.#rest = null;
  }

  take(chunk: Buffer): void {
    if (this.#rest !== null) {
      this.#hold(Buffer.concat([this.#rest, chunk]));
      return;
    }
    let from = 0;
    while (!this.#isOver) {
      if (this.#mustWait) return this.#hold(chunk.subarray(from));
      const end = this.#pieceEnd(chunk, from);
      const isAll = end === chunk.length;
      this.#parse(from === 0 && isAll ? chunk : chunk.subarray(from, end));
      if (isAll) return;
      from = end;
    }
  }

  goOn(): void {
    const rest = this.#rest;
    if (rest === null || this.#socket.destroyed || this.#mustWait) return;
    this.#rest = null;
    this.take(rest);
    if (this.#rest === null) this.#socket.resume();
  }

  /** The last request is here as a whole and its answer is not out. */
  get #mustWait(): boolean {
    return this.#res !== null && this.#req !== null && this.#req.complete;
  }

  #hold(rest: Buffer): void {
    this.#rest = rest;
    this.#socket.pause();
  }

  /** A body of known length is one piece, whatever is in it. */
  #pieceEnd(chunk: Buffer, from: number): number {
    if (this.#bodyBytesLeft > 0) {
      const end = Math.min(chunk.length, from + this.#bodyBytesLeft);
      this.#bodyBytesLeft -= end - from;
      return end;
    }
    const at = chunk.indexOf(HEAD_END, from, "latin1");
    return at < 0 ? chunk.length : at + HEAD_END.length;
  }
}

export function connectionOf(socket: Duplex): ClientConnection {
  const connection = (socket as Marked)[CONNECTION];
  if (connection === undefined) throw new Error("a socket that no gateway took over");
  return connection;
}

function onData(this: Socket, chunk: Buffer): void {
  (this as Marked)[CONNECTION]?.take(chunk);
}

function goOn(connection: ClientConnection): void {
  connection.goOn();
}
