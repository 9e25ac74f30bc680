import { createServer, type Server, type Socket } from "node:net";

/** The database behind the protocol: one session, which answers one message at a time. A PGlite has it. */
export interface ProtocolSession {
  /** One message of the protocol, with its length; returns what the database answers. */
  execProtocolRaw(message: Uint8Array): Promise<Uint8Array>;
}

/** @source PostgreSQL documentation, "Message Formats": requests that come before a session is begun */
const [SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST] = [80_877_103, 80_877_104, 80_877_102];
const [TERMINATE, READY, IDLE] = ["X", "Z", "I"] as const;
const LENGTH_BYTES = 4;

/** Whose turn it is: a client keeps the session until the database says that it is idle again. */
class Turns {
  #holder: Socket | null = null;
  readonly #waiting: { readonly socket: Socket; readonly begin: () => void }[] = [];

  take(socket: Socket): Promise<void> {
    if (this.#holder === socket) return Promise.resolve();
    return new Promise((begin) => {
      this.#waiting.push({ socket, begin });
      this.#next();
    });
  }

  leave(socket: Socket): void {
    if (this.#holder !== socket) return;
    this.#holder = null;
    this.#next();
  }

  #next(): void {
    if (this.#holder !== null) return;
    const first = this.#waiting.shift();
    if (first === undefined) return;
    this.#holder = first.socket;
    first.begin();
  }
}

/** Takes whole messages off what has come; the first of a session has no type. Returns what is left. */
function takeMessages(bytes: Buffer, hasBegun: boolean, take: (message: Buffer, isFirst: boolean) => boolean): Buffer {
  let [rest, begun] = [bytes, hasBegun];
  for (;;) {
    const typeBytes = begun ? 1 : 0;
    if (rest.length < typeBytes + LENGTH_BYTES) return rest;
    const end = typeBytes + rest.readInt32BE(typeBytes);
    if (rest.length < end) return rest;
    const isSession = take(rest.subarray(0, end), !begun);
    begun ||= isSession;
    rest = rest.subarray(end);
  }
}

/** The state that a reply ends with: idle, in a transaction, in a failed one; null: the reply is not over. */
function stateAfter(reply: Uint8Array): string | null {
  let state: string | null = null;
  const view = Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength);
  for (let at = 0; at + LENGTH_BYTES < view.length; at += 1 + view.readInt32BE(at + 1))
    if (view.toString("latin1", at, at + 1) === READY) state = view.toString("latin1", at + 5, at + 6);
  return state;
}

/** One client of the database. Its messages are answered in order, each when it is its turn. */
function serve(socket: Socket, session: ProtocolSession, turns: Turns): void {
  let rest: Buffer = Buffer.alloc(0);
  let [hasBegun, isInTransaction] = [false, false];
  let done: Promise<void> = Promise.resolve();
  const answer = async (message: Buffer): Promise<void> => {
    await turns.take(socket);
    const reply = await session.execProtocolRaw(new Uint8Array(message));
    const state = stateAfter(reply);
    if (!socket.destroyed) socket.write(reply);
    if (state === null) return;
    isInTransaction = state !== IDLE;
    if (!isInTransaction) turns.leave(socket);
  };
  const first = (message: Buffer): boolean => {
    const code = message.readInt32BE(LENGTH_BYTES);
    if (code === SSL_REQUEST || code === GSS_REQUEST) socket.write("N");
    return ![SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST].includes(code);
  };
  const take = (message: Buffer, isFirst: boolean): boolean => {
    if (isFirst && !first(message)) return false;
    hasBegun = true;
    if (!isFirst && message.toString("latin1", 0, 1) === TERMINATE) socket.end();
    else done = done.then(() => answer(Buffer.from(message))).catch(() => void socket.destroy());
    return true;
  };
  socket.on("data", (part) => {
    rest = takeMessages(Buffer.concat([rest, part]), hasBegun, take);
  });
  socket.on("error", () => {}); // Told by `close`.
  socket.once("close", () => {
    // What it had begun is taken back, as of a client that is gone.
    done = done.then(async () => {
      if (isInTransaction) await session.execProtocolRaw(simpleQuery("rollback"));
      turns.leave(socket);
    });
  });
}

/** @source PostgreSQL documentation, "Message Formats", Query */
function simpleQuery(text: string): Uint8Array {
  const message = Buffer.alloc(1 + LENGTH_BYTES + text.length + 1);
  message.write("Q", 0, "latin1");
  message.writeInt32BE(message.length - 1, 1);
  message.write(text, 1 + LENGTH_BYTES, "latin1");
  return message;
}

/**
 * A server that speaks PostgreSQL's protocol for a database that has one session, so that several processes may use it:
 * a client's transaction is alone until it has ended. Without passwords: it is for the loopback address.
 */
export function wireServer(session: ProtocolSession): Server {
  const turns = new Turns();
  return createServer({ noDelay: true }, (socket) => serve(socket, session, turns));
}
