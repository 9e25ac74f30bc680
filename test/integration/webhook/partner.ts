import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { TLSSocket } from "node:tls";
import type { WebhookPost } from "../../../src/ports/webhook-transport.ts";

/** Key and certificate of a partner named hooks.example.com, also 127.0.0.1; for these tests only. */
export const PARTNER_PEM = readFileSync(new URL("./partner-test-only.pem", import.meta.url), "utf8");

/** What arrived at a partner. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Name asked for in the TLS handshake; false without one, undefined without TLS. */
  readonly serverName: string | false | undefined;
}

/** A real server on this machine that counts connections. */
export interface Partner {
  readonly port: number;
  readonly received: readonly Received[];
  connections(): number;
  close(): Promise<void>;
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Opens a partner. Its `answer` is called when the whole request has arrived; default 204. */
export async function openPartner(
  options: { host?: string; port?: number; isTls?: boolean; answer?: RequestListener } = {},
): Promise<Partner> {
  const { host = "127.0.0.1", port = 0, isTls = false } = options;
  const answer: RequestListener = options.answer ?? ((_request, response) => response.writeHead(204).end());
  const received: Received[] = [];
  const take: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = "", url: path = "", headers } = request;
    const serverName = isTls
      ? ((request.socket as TLSSocket & { servername?: string | false }).servername ?? false)
      : undefined;
    received.push({ method, path, headers, body: Buffer.concat(chunks).toString(), serverName });
    answer(request, response);
  };
  const server = isTls ? createTlsServer({ key: PARTNER_PEM, cert: PARTNER_PEM }, take) : createServer(take);
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  const bound = await listen(server, port, host);
  return {
    port: bound,
    received,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** One POST with a small signed-looking body. */
export function aPost(url: string, changes: Partial<WebhookPost> = {}): WebhookPost {
  const headers = { "content-type": "application/json", "webhook-id": "msg_1" };
  return { url, headers, body: new TextEncoder().encode(`{"event":"shipped"}`), timeoutMs: 2_000, ...changes };
}
