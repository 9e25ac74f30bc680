// Runs the guides of Express and Fastify on the real frameworks, which the product does not depend on.
//   node bench/fence/run.mjs frameworks
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import express from "express";
import fastify from "fastify";
import {
  type ExpressRequest,
  type ExpressResponse,
  expressIdempotency,
  type FastifyReply,
  type FastifyRequest,
  fastifyIdempotency,
  idempotency,
  memoryFence,
} from "../../src/fence/index.ts";

const aFence = () =>
  idempotency({ store: memoryFence(), scope: () => ({ tenant: "acme", principal: "user-1", route: "/charges" }) });

async function expectOnce(name: string, url: string, runs: () => number): Promise<void> {
  const send = (body: string) => {
    const headers = { "content-type": "application/json", "idempotency-key": "k" };
    return fetch(`${url}/charges`, { method: "POST", headers, body });
  };
  const [first, again, other] = [await send('{"amount":5}'), await send('{"amount":5}'), await send('{"amount":6}')];
  assert.deepEqual([first.status, again.status, other.status], [201, 201, 422], name);
  assert.deepEqual(
    [first.headers.get("idempotent-replayed"), again.headers.get("idempotent-replayed")],
    [null, "true"],
    name,
  );
  assert.equal(await first.text(), await again.text(), name);
  assert.equal(runs(), 1, name);
  console.log(`passed ${name}: ran once, replayed once, refused another body`);
}

async function runExpress(): Promise<void> {
  let runs = 0;
  const app = express();
  const verify = (req: unknown, _res: unknown, bytes: Uint8Array) => void ((req as ExpressRequest).rawBody = bytes);
  app.use(express.json({ verify }));
  const middleware = expressIdempotency(aFence());
  app.use("/charges", (req, res, next) => middleware(req as ExpressRequest, res as ExpressResponse, next));
  app.post("/charges", (req, res) => {
    runs++;
    res.status(201).json({ amount: req.body.amount });
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  await expectOnce("express", `http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => runs);
  server.closeAllConnections();
  server.close();
}

async function runFastify(): Promise<void> {
  let runs = 0;
  const app = fastify();
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, bytes, done) => {
    (request as unknown as { rawBody: Uint8Array }).rawBody = bytes as Buffer;
    done(null, JSON.parse(bytes.toString()));
  });
  const route = fastifyIdempotency(aFence(), async (request: FastifyRequest, reply: FastifyReply) => {
    runs++;
    reply.code(201);
    return { amount: (request.body as { amount: number }).amount };
  });
  app.post("/charges", (request, reply) =>
    route(request as unknown as FastifyRequest, reply as unknown as FastifyReply),
  );
  await app.listen({ port: 0, host: "127.0.0.1" });
  await expectOnce("fastify", `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, () => runs);
  await app.close();
}

await runExpress();
await runFastify();
