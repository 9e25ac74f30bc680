import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeRequest {
  readonly method: string;
  /** Parts of the path, decoded. */
  readonly parts: readonly string[];
  readonly search: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface FakeServer {
  readonly url: string;
  /** Every request, as `METHOD path`. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** A fake of a product: an HTTP server on loopback that answers as its documentation says. */
export async function startFake(answer: (request: FakeRequest) => FakeAnswer): Promise<FakeServer> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { pathname, searchParams: search } = new URL(request.url ?? "/", "http://fake");
    const parts = pathname.split("/").slice(1).map(decodeURIComponent);
    const { method = "GET", headers } = request;
    asked.push(`${method} ${pathname}`);
    const { status, body } = answer({ method, parts, search, headers, body: text === "" ? null : JSON.parse(text) });
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
