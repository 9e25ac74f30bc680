import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { type FenceContext, idempotency, notExecuted } from "../idempotency.ts";
import { memoryFence } from "../memory-store.ts";
import { type ExpressRequest, expressIdempotency } from "./express.ts";
import { type FastifyReply, fastifyIdempotency } from "./fastify.ts";
import { HONO_FENCE, honoIdempotency } from "./hono.ts";
import { lambdaIdempotency } from "./lambda.ts";
import type { LambdaHttpEvent } from "./lambda-event.ts";

const aFence = () =>
  idempotency({ store: memoryFence(), scope: () => ({ tenant: "acme", principal: "ana", route: "/charges" }) });
const headers = { "idempotency-key": "k", "content-type": "application/json" };

describe("honoIdempotency (real Hono)", () => {
  function anApp() {
    const app = new Hono<{ Variables: { fence: FenceContext | null } }>();
    let runs = 0;
    app.use("/charges", honoIdempotency(aFence()));
    app.post("/charges", async (c) => {
      const { amount } = await c.req.json<{ amount: number }>();
      if (amount < 0) return notExecuted(c.json({ error: "negative" }, 400));
      c.header("x-key", c.get(HONO_FENCE)?.key ?? "");
      return c.json({ amount, run: ++runs }, 201);
    });
    app.get("/charges", (c) => c.text(`${runs}`));
    return (init: RequestInit) => app.request("/charges", init);
  }

  it("runs once, replays, refuses another body, and lets GET pass", async () => {
    const ask = anApp();
    const first = await ask({ method: "POST", headers, body: '{"amount":5}' });
    expect([first.status, first.headers.get("x-key"), await first.json()]).toEqual([201, "k", { amount: 5, run: 1 }]);
    const again = await ask({ method: "POST", headers, body: '{"amount":5}' });
    expect([again.status, again.headers.get("idempotent-replayed"), await again.json()]).toEqual([
      201,
      "true",
      { amount: 5, run: 1 },
    ]);
    expect((await ask({ method: "POST", headers, body: '{"amount":6}' })).status).toBe(422);
    expect((await ask({ method: "POST", body: "{}" })).status).toBe(400);
    expect(await (await ask({ method: "GET" })).text()).toBe("1");
  });

  it("does not store an answer marked as not executed", async () => {
    const ask = anApp();
    expect((await ask({ method: "POST", headers, body: '{"amount":-1}' })).status).toBe(400);
    expect((await ask({ method: "POST", headers, body: '{"amount":1}' })).status).toBe(201);
  });
});

describe("expressIdempotency (a node:http server that calls it as Express does)", () => {
  type Route = (req: ExpressRequest, res: ServerResponse) => void;

  async function serve<T>(
    route: Route,
    ask: (init: RequestInit) => Promise<Response>,
    use: (ask: (init: RequestInit) => Promise<Response>) => Promise<T>,
  ) {
    const middleware = expressIdempotency(aFence());
    const server = createServer(async (req: IncomingMessage & { rawBody?: Uint8Array }, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      req.rawBody = Buffer.concat(chunks);
      middleware(req, res, (error) => (error === undefined ? route(req, res) : res.writeHead(500).end(`${error}`)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      return await use((init) => ask(Object.assign({ url: `http://127.0.0.1:${port}/charges` }, init)));
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
  const ask = (init: RequestInit & { url?: string }) => fetch(init.url as string, init);

  it("runs once and replays status, headers and chunks written in pieces", async () => {
    let runs = 0;
    const route: Route = (req, res) => {
      res.statusCode = 201;
      res.setHeader("x-key", req.fence?.key ?? "");
      res.setHeader("set-cookie", ["a=1", "b=2"]);
      res.write(`run ${++runs}, `);
      res.write(Buffer.from("bytes, "));
      setTimeout(() => res.end("end"), 5);
    };
    await serve(route, ask, async (send) => {
      const first = await send({ method: "POST", headers, body: "{}" });
      expect([first.status, await first.text(), first.headers.getSetCookie().length]).toEqual([
        201,
        "run 1, bytes, end",
        2,
      ]);
      const again = await send({ method: "POST", headers, body: "{}" });
      expect([again.status, await again.text(), again.headers.get("x-key")]).toEqual([201, "run 1, bytes, end", "k"]);
      expect(again.headers.get("idempotent-replayed")).toBe("true");
      expect([(await send({ method: "POST", headers, body: "{ }" })).status, runs]).toEqual([422, 1]);
    });
  });

  it("keeps headers given to writeHead, in both of its forms", async () => {
    const forms = [{ "x-a": "1" }, ["x-a", "1"]];
    const route: Route = (_, res) => void res.writeHead(202, forms.shift() as never).end("ok");
    await serve(route, ask, async (send) => {
      for (const key of ["object", "object", "list", "list"]) {
        const answer = await send({ method: "POST", headers: { ...headers, "idempotency-key": key }, body: "{}" });
        expect([answer.status, answer.headers.get("x-a"), await answer.text()]).toEqual([202, "1", "ok"]);
      }
    });
  });

  it("answers 204 without a body, and passes GET through", async () => {
    const route: Route = (req, res) => void (req.method === "GET" ? res.end("read") : res.writeHead(204).end());
    await serve(route, ask, async (send) => {
      for (const _ of [1, 2]) expect((await send({ method: "POST", headers, body: "{}" })).status).toBe(204);
      expect(await (await send({ method: "GET" })).text()).toBe("read");
    });
  });
});

describe("fastifyIdempotency (a stand-in for a reply, as unit tests of handlers use)", () => {
  function aReply() {
    const sent = {
      statusCode: 200,
      headers: {} as Record<string, string | readonly string[]>,
      payload: undefined as unknown,
    };
    const reply: FastifyReply = {
      get statusCode() {
        return sent.statusCode;
      },
      code: (status) => ((sent.statusCode = status), reply),
      header: (name, value) => ((sent.headers[name] = value), reply),
      getHeaders: () => sent.headers,
      send: (payload) => ((sent.payload = payload), reply),
    };
    return { reply, sent };
  }

  it("runs once, replays the JSON of the returned object, and refuses a body whose bytes are gone", async () => {
    let runs = 0;
    const route = fastifyIdempotency(aFence(), async (_, reply) => {
      reply.code(201);
      return { run: ++runs };
    });
    const request = { method: "POST", url: "/charges", headers, rawBody: "{}" };
    for (const replayed of [undefined, "true"]) {
      const { reply, sent } = aReply();
      await route(request, reply);
      expect([sent.statusCode, new TextDecoder().decode(sent.payload as Uint8Array)]).toEqual([201, '{"run":1}']);
      expect(sent.headers["idempotent-replayed"]).toBe(replayed);
    }
    const unkept = aReply();
    await route({ ...request, rawBody: undefined, body: { parsed: true } } as never, unkept.reply);
    expect([unkept.sent.statusCode, runs]).toEqual([500, 1]);
    expect(new TextDecoder().decode(unkept.sent.payload as Uint8Array)).toContain("rawBody");
  });
});

describe("lambdaIdempotency", () => {
  it("runs once, replays text and bytes, and answers problems as Lambda answers", async () => {
    let runs = 0;
    const bytes = btoa("\u0000\u00ff");
    const handler = lambdaIdempotency(aFence(), async (event: LambdaHttpEvent) => {
      runs++;
      return event.body === "bytes"
        ? { statusCode: 200, body: bytes, isBase64Encoded: true }
        : { statusCode: 201, headers: { "x-a": "1" }, body: "made" };
    });
    const event = (key: string | undefined, body: string): LambdaHttpEvent => ({
      rawPath: "/charges",
      rawQueryString: "a=1",
      headers: { "idempotency-key": key },
      body,
      requestContext: { http: { method: "POST" }, domainName: "api.example" },
    });
    for (const replayed of [undefined, "true"]) {
      const answer = await handler(event("t", "text"));
      expect(answer).toMatchObject({ statusCode: 201, body: "made", isBase64Encoded: false });
      expect([answer.headers?.["x-a"], answer.headers?.["idempotent-replayed"]]).toEqual(["1", replayed]);
      expect(await handler(event("b", "bytes"))).toMatchObject({ body: bytes, isBase64Encoded: true });
    }
    expect([
      runs,
      (await handler(event(undefined, "x"))).statusCode,
      (await handler(event("t", "other"))).statusCode,
    ]).toEqual([2, 400, 422]);
  });
});
