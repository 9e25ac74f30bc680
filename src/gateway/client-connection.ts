import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../ports/clock.ts";

/** Who a connection comes from. */
export interface Peer {
  /** Address in its shortest form, an IPv4 one never mapped into IPv6; "" when the socket is gone already. */
  readonly address: string;
  /** The operator lists it in `trustedProxies`: what it says about others is believed. */
  readonly isTrusted: boolean;
}

/** `HTTPParser.kOnExecute`. */
const ON_EXECUTE = 5;

type Incoming = IncomingMessage & { upgrade?: boolean | null };

/**
 * The parser node:http gives a socket. It reads from the system by itself, without a stream between.
 * @source Node.js lib/_http_server.js and src/node_http_parser.cc, alike in 20, 22 and 24
 */
interface Parser {
  /** Called with each header section that is whole. What it returns tells the parser how to go on. */
  onIncoming: (req: Incoming, keepAlive: boolean) => number;
  /** Called after each read with how many bytes of it were parsed: all, unless it stopped. */
  [ON_EXECUTE]?: (parsed: number | ParserError) => void;
  /** What is being parsed, as a copy. */
  getCurrentBuffer(): Buffer;
  execute(bytes: Buffer): number | ParserError;
  pause(): void;
  resume(): void;
}

/** What `clientError` tells. */
export interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** What makes the parser stop behind a header section, and how it says so. @source llhttp `HPE_PAUSED` */
const STOP = 21;
const STOPPED = "HPE_PAUSED";
/** Less than this that waits does not keep a connection from being read: so one is heard that goes away. */
const AHEAD_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);
const CONNECTION = Symbol("client connection");
type Marked = Duplex & { [CONNECTION]?: ClientConnection; parser?: Parser | null };

/**
 * One connection of a client. Its next request begins when the answer before is out: the parser is stopped behind the
 * header section of a request that has to wait, and what the client pipelined behind that one stays bytes, one read of
 * them at most. node:http by itself makes objects of all it has read, about a hundred times as large.
 *
 * A client that waits for its answers, as nearly all do, costs one comparison a request here.
 */
export class ClientConnection {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #parser: Parser;
  readonly #begin: (req: Incoming, keepAlive: boolean) => number;
  /** The last request that began, and whether its answer is out. */
  #req: IncomingMessage | null = null;
  #isAnswered = true;
  /** What its turn comes after that answer. */
  #next: (() => void) | null = null;
  /** What was read behind it. */
  #rest: Buffer | null = null;
  #isOver = false;
  #seesEnds = false;
  /** Its time to arrive ran out while it waited for its turn. */
  #isLate = false;

  /** Stands between node:http and the parser of a new socket. */
  constructor(socket: Socket, server: Server, peer: Peer, clock: Clock) {
    this.peer = peer;
    this.#socket = socket;
    this.#server = server;
    this.#clock = clock;
    const { parser } = socket as Marked;
    if (!parser) throw new Error("node:http does not read this socket");
    this.#parser = parser;
    this.#begin = parser.onIncoming;
    parser.onIncoming = (req, keepAlive) => this.#meet(req, keepAlive);
    socket.on("resume", stayPaused);
    (socket as Marked)[CONNECTION] = this;
  }

  /** Enough waits here. */
  get isFull(): boolean {
    return this.#rest !== null && this.#rest.length >= AHEAD_BYTES;
  }

  /** Nothing that still comes is read: it stands behind something that was refused, and nobody can vouch for it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** An answer is owed to the very request that is still being read. */
  get isReadingOwed(): boolean {
    return !this.#isAnswered && !this.#req?.complete;
  }

  /** The answer is out. Goes on with what waited, after other connections have had their turn. */
  answered(): void {
    this.#isAnswered = true;
    if (this.#rest !== null) setImmediate(goOn, this);
  }

  end(): void {
    this.#isOver = true;
    this.#next = null;
    this.#rest = null;
  }

  /** Reads no more, and does `last` when what is owed is out. */
  endWith(last: () => void): void {
    this.end();
    if (this.#isAnswered) return last();
    this.#hold(NOTHING, last);
  }

  /** Whether an error of the parser is the connection's own affair. */
  expects(error: ParserError): boolean {
    const { code, rawPacket = NOTHING, bytesParsed = 0 } = error;
    if (code === STOPPED) {
      this.#stopped(rawPacket, bytesParsed);
      return true;
    }
    const isLate = code === "ERR_HTTP_REQUEST_TIMEOUT";
    // Behind a refused request anything may stand.
    if (this.#isOver) return isLate ? !this.isReadingOwed : code?.startsWith("HPE_") === true;
    if (!isLate || this.#next === null) return false;
    this.#isLate = true; // It was here in time; we let it wait.
    return true;
  }

  goOn(): void {
    const [next, rest] = [this.#next, this.#rest];
    if (rest === null || !this.#isAnswered || !this.#socket.writable) return;
    if (this.#socket.writableNeedDrain) {
      this.#socket.once("drain", () => this.goOn());
      return;
    }
    this.#next = null;
    this.#rest = null;
    if (!this.#isOver) this.#parser.resume();
    next?.();
    if (this.#isOver) this.#parser.pause();
    else if (rest.length > 0) this.#feed(rest);
    if (this.#rest === null) this.#socket.resume();
  }

  /** @returns what the parser expects to be told: go on, or stop */
  #meet(req: Incoming, keepAlive: boolean): number {
    if (this.#isOver) return STOP;
    if (req.upgrade) {
      req.upgrade = false; // Nobody here takes one.
      this.#seeEnds();
    }
    if (req.method === "CONNECT") {
      this.endWith(() => this.#server.emit("connect", req, this.#socket, NOTHING));
      return STOP;
    }
    if (this.#isAnswered) return this.#start(req, keepAlive);
    this.#next = () => this.#start(req, keepAlive);
    return STOP;
  }

  #start(req: Incoming, keepAlive: boolean): number {
    this.#req = req;
    this.#isAnswered = false;
    if (this.#isLate) void this.#expectSoon(req);
    return this.#begin(req, keepAlive);
  }

  /** node:http says once that a request is late. */
  async #expectSoon(req: IncomingMessage): Promise<void> {
    this.#isLate = false;
    const gone = new AbortController();
    this.#socket.once("close", () => gone.abort());
    await this.#clock.sleep(this.#server.requestTimeout, gone.signal);
    if (!req.complete) this.#socket.destroy();
  }

  /**
   * The parser stops behind a request that offers an upgrade, such as one to HTTP/2, also when nobody takes it, and
   * node:http then loses what came in the same read.
   */
  #seeEnds(): void {
    const parser = this.#parser;
    const told = parser[ON_EXECUTE];
    if (this.#seesEnds || told === undefined) return;
    this.#seesEnds = true;
    parser[ON_EXECUTE] = (parsed) => {
      const bytes = typeof parsed === "number" ? parser.getCurrentBuffer() : NOTHING;
      told(parsed);
      if (typeof parsed === "number") this.#stopped(bytes, parsed);
    };
  }

  #feed(bytes: Buffer): void {
    const parsed = this.#parser.execute(bytes);
    if (typeof parsed === "number") this.#stopped(bytes, parsed);
    else if (parsed.code === STOPPED) this.#stopped(bytes, parsed.bytesParsed ?? 0);
    else this.#server.emit("clientError", parsed, this.#socket);
  }

  /** @param parsed how much of the bytes; means nothing when the parser had stopped before them */
  #stopped(bytes: Buffer, parsed: number): void {
    if (this.#isOver) return;
    if (this.#rest !== null) return this.#hold(Buffer.concat([this.#rest, bytes]), this.#next);
    const rest = bytes.subarray(parsed);
    if (this.#next !== null) this.#hold(rest, this.#next);
    else if (rest.length === 0) return;
    else if (this.#isAnswered || this.isReadingOwed) this.#feed(rest);
    else {
      this.#parser.pause(); // What the next read brings stands behind these bytes.
      this.#hold(rest, null);
    }
  }

  #hold(rest: Buffer, next: (() => void) | null): void {
    this.#next = next;
    this.#rest = rest;
    if (this.isFull) stopReading(this.#socket);
    if (this.#isAnswered) setImmediate(goOn, this);
  }
}

export function connectionOf(socket: Duplex): ClientConnection {
  const connection = (socket as Marked)[CONNECTION];
  if (connection === undefined) throw new Error("a socket that no gateway took over");
  return connection;
}

/** node:http resumes a socket for reasons of its own, in its own time. */
function stayPaused(this: Socket): void {
  if (connectionOf(this).isFull) stopReading(this);
}

/** node:http stops at the event, which a stream that counts as paused already would not send again. */
function stopReading(socket: Socket): void {
  if (socket.isPaused()) socket.emit("pause");
  else socket.pause();
}

function goOn(connection: ClientConnection): void {
  connection.goOn();
}
