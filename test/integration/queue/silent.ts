import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Something that takes connections and never answers. */
export interface SilentServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startSilent(): Promise<SilentServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).resume();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}
