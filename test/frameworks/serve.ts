import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Idempotency, idempotency, memoryFence } from "../../dist/fence/index.js";

/** How long handlers may go on after their client left, in this suite. */
export const ABANDONED_MS = 1_200;

export const aFence = (): Idempotency =>
  idempotency({ store: memoryFence(), scope: () => ({ tenant: "acme", principal: "ana", route: "/" }) });

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** Serves one listener with and one without the fence. */
export async function serveBoth(listener: (fence: Idempotency | null) => RequestListener | Promise<RequestListener>) {
  const servers = [createServer(await listener(aFence())), createServer(await listener(null))] as const;
  const [fencedUrl, bareUrl] = [await listen(servers[0]), await listen(servers[1])];
  return { fencedUrl, bareUrl, close: () => Promise.all(servers.map(shut)) };
}
