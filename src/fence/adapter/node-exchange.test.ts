import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { idempotency } from "../idempotency.ts";
import { memoryFence } from "../memory-store.ts";
import { expressIdempotency } from "./express.ts";

type Req = IncomingMessage & { body?: unknown; timedout?: boolean };
type Handler = (req: Req, res: ServerResponse) => void;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A server that calls the middleware as Express does; `prepare` stands before it. */
async function serve(handler: Handler, prepare: (req: Req, res: ServerResponse) => unknown = () => {}) {
  const middleware = expressIdempotency(
    idempotency({
      store: memoryFence(),
      scope: () => ({ tenant: "acme", principal: "ana", route: "/orders" }),
      // With an effect key a dead attempt is resumed: a second run beside the first would start here.
      effectKey: (_, __, key) => key,
    }),
    { abandonedMs: 300 },
  );
  const server = createServer(async (req: Req, res) => {
    await prepare(req, res);
    middleware(req, res, (error) => (error === undefined ? handler(req, res) : res.writeHead(500).end()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`;
  const ask = async (signal: AbortSignal | null = null, body = "{}") => {
    const headers = { "idempotency-key": "k", "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body, signal });
    return { status: answer.status, text: await answer.text(), isReplay: answer.headers.has("idempotent-replayed") };
  };
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { ask, close };
}

describe("a Node.js handler under a key", () => {
  it("goes on when its client leaves: in flight meanwhile, one run, then its answer", async () => {
    let runs = 0;
    let finish = () => {};
    const { ask, close } = await serve((_, res) => {
      runs++;
      finish = () => res.writeHead(201).end("made");
    });
    const leaving = new AbortController();
    const left = ask(leaving.signal).catch(() => null);
    while (runs === 0) await pause(5);
    leaving.abort();
    await left;
    expect(await ask()).toMatchObject({ status: 409, text: expect.stringContaining("in-flight") });
    finish();
    let again = await ask();
    while (again.status === 409) again = await ask();
    expect([again, runs]).toEqual([{ status: 201, text: "made", isReplay: true }, 1]);
    close();
  });

  it("keeps its key after a timeout answered for it, until it writes itself", async () => {
    let runs = 0;
    let finish = () => {};
    const { ask, close } = await serve((req, res) => {
      if (++runs > 1) return void res.end("second run");
      finish = () => {
        try {
          res.setHeader("x-late", "1");
        } catch {
          // The answer was sent: Express throws here as well.
        }
      };
      req.timedout = true; // As connect-timeout does before it passes its error on.
      res.writeHead(503).end("timed out");
    });
    expect(await ask()).toMatchObject({ status: 503, text: "timed out" });
    expect(await ask()).toMatchObject({ status: 409, text: expect.stringContaining("in-flight") });
    expect(runs).toBe(1);
    finish();
    let again = await ask();
    while (again.status === 409) again = await ask();
    expect([again.text, runs]).toEqual(["second run", 2]);
    close();
  });

  it("refuses a body that somebody read and did not keep, before the handler runs", async () => {
    let runs = 0;
    const { ask, close } = await serve(
      (_, res) => void res.end(`${++runs}`),
      async (req) => {
        for await (const _ of req);
        req.body = { parsed: true };
      },
    );
    const refused = await ask();
    expect([refused.status, JSON.parse(refused.text).type, runs]).toEqual([500, "urn:sluice:problem:body-not-kept", 0]);
    close();
  });

  it("refuses text in which bytes were replaced: two bodies could look alike", async () => {
    const { ask, close } = await serve(
      (_, res) => void res.end("ran"),
      async (req) => {
        for await (const _ of req);
        req.body = "pay \ufffd";
      },
    );
    expect((await ask()).text).toContain("body-not-kept");
    close();
  });
});
