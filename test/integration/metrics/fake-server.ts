import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll } from "vitest";
import type { MetricState } from "../../../src/testing/metric-suite.ts";

/** One request as a fake saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server on a free loopback port that answers as it is told. It is a fake: it knows no product. */
export interface FakeServer {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Replaces what it does with every request from now on. */
  answer(with_: (seen: Seen, response: ServerResponse) => void): void;
  stop(): Promise<void>;
}

export async function startFake(): Promise<FakeServer> {
  const seen: Seen[] = [];
  let act: (seen: Seen, response: ServerResponse) => void = (_, response) => response.writeHead(404).end();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const one = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      seen.push(one);
      act(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer(with_) {
      act = with_;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * The fake that a suite talks to, and another one that it may be sent to; both live as long as the suite.
 * @param prepare what the other one answers
 */
export function suiteFakes(prepare: (elsewhere: FakeServer) => void = () => {}): {
  readonly server: FakeServer;
  readonly elsewhere: FakeServer;
} {
  let [server, elsewhere]: (FakeServer | null)[] = [null, null];
  const running = (fake: FakeServer | null | undefined): FakeServer => {
    if (fake === null || fake === undefined) throw new Error("a suite's fakes run from beforeAll on");
    return fake;
  };
  beforeAll(async () => {
    [server, elsewhere] = [await startFake(), await startFake()];
    prepare(elsewhere);
    await (await fetch(elsewhere.url)).text(); // The first fetch of a process also loads its code.
  });
  afterAll(async () => {
    await Promise.all([running(server).stop(), running(elsewhere).stop()]);
  });
  return {
    get server() {
      return running(server);
    },
    get elsewhere() {
      return running(elsewhere);
    },
  };
}

/** Answers with JSON and status 200. */
export function json(response: ServerResponse, document: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
}

/**
 * Does what states of the conversation ask for; the others are the product's own. `elsewhere` is where a redirect
 * leads.
 * @returns false when the state is about data
 */
export function misbehave(kind: MetricState["kind"], seen: Seen, response: ServerResponse, elsewhere: string): boolean {
  const echo = `${seen.headers.authorization} is not enough`; // A careless server that repeats what it was sent.
  if (kind === "denies") response.writeHead(401).end(echo);
  else if (kind === "is-busy") response.writeHead(503).end(echo);
  else if (kind === "redirects") response.writeHead(307, { location: `${elsewhere}${seen.path}` }).end();
  else if (kind === "hangs-up") response.destroy();
  else if (kind === "shows-a-page") response.writeHead(200).end("<html>Please log in</html>");
  else if (kind === "never-ends") {
    response.writeHead(200);
    const write = () => response.destroyed || (response.write(" ".repeat(65_536)), setImmediate(write));
    write();
  } else return kind === "is-silent";
  return true;
}
