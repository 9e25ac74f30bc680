import type { AddressInfo, Socket } from "node:net";
import { type ProtocolSession, wireServer } from "./wire.ts";

export interface ServedDatabase {
  readonly url: string;
  /** Ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** Lets other processes of this machine use a database of this one, on a free port of the loopback address. */
export async function serveDatabase(session: ProtocolSession, port = 0): Promise<ServedDatabase> {
  const server = wireServer(session);
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: found } = server.address() as AddressInfo;
  let closed: Promise<void> | null = null;
  const close = () => {
    closed ??= new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of open) socket.destroy();
    });
    return closed;
  };
  return { url: `postgres://lab@127.0.0.1:${found}/lab`, close };
}
