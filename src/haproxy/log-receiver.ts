import { createServer, type Server, type Socket } from "node:net";

/** A line may be this long; a sender of longer ones speaks something else. */
const LINE_BYTES_MAX = 16_384;
const CONNECTIONS_MAX = 64;
const SPACE = 32;

/**
 * Takes log lines that are framed by their length, as a proxy's ring sends them. @source RFC 6587 §3.4.1
 * @param take is given each whole line
 */
export function logReceiver(take: (line: string) => void): Server {
  const server = createServer((socket) => {
    let waiting: Buffer = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      const rest = takeFrames(waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]), take);
      if (rest === null) return void socket.destroy();
      waiting = rest;
    });
    socket.on("error", () => socket.destroy());
  });
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

/** Whole frames are taken; what is left of the last one, or null when this is no such framing. */
function takeFrames(bytes: Buffer, take: (line: string) => void): Buffer | null {
  for (let at = 0; ; ) {
    const space = bytes.indexOf(SPACE, at);
    if (space < 0) return bytes.length - at > 8 ? null : bytes.subarray(at);
    const length = Number(bytes.toString("latin1", at, space));
    if (!Number.isInteger(length) || length <= 0 || length > LINE_BYTES_MAX) return null;
    if (space + 1 + length > bytes.length) return bytes.subarray(at);
    take(bytes.toString("utf8", space + 1, space + 1 + length));
    at = space + 1 + length;
  }
}

/** Ends a server and everybody who is connected. */
export async function endServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}
