import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { honoIdempotency, type Idempotency } from "../../dist/fence/index.js";
import { Runs } from "./scenes.ts";
import { serveBoth } from "./serve.ts";
import type { Framework } from "./suite.ts";
import { NODE_ONLY, playWeb } from "./web-scenes.ts";

const LACKS = {
  ...NODE_ONLY,
  "answer: a status outside 200 to 599": "a web-standard response has no other status",
  "answer: an undefined header": "a web-standard header has no undefined value",
  "client: leaves a handler that never ends": "nothing tells: such a key stays in flight while its process lives",
};

const pathOf = (request: Request) => new URL(request.url).pathname.slice(1);

function honoApp(fence: Idempotency | null, runs: Runs) {
  const app = new Hono();
  if (fence !== null) app.use("*", honoIdempotency(fence) as never);
  app.all("*", (c) => {
    runs.count(c.req.header("idempotency-key"));
    const path = pathOf(c.req.raw);
    if (path === "native-json") return c.json({ made: true }, 201);
    if (path === "throw-4xx") throw new HTTPException(422, { message: "not so" });
    return playWeb(path, c.req.raw);
  });
  app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text("failed", 500)));
  return app;
}

export const HONO: Framework = {
  name: "Hono 4",
  lacks: LACKS,
  async start() {
    const runs = new Runs();
    const both = await serveBoth((fence) => getRequestListener(honoApp(fence, runs).fetch) as never);
    return { ...both, runs };
  },
};

export const WEB: Framework = {
  name: "Request and Response",
  lacks: {
    ...LACKS,
    "answer: the framework's own JSON": "there is no framework",
    "answer: the framework's 4xx error": "there is no framework",
  },
  async start() {
    const runs = new Runs();
    const both = await serveBoth((fence) => {
      const handler = (request: Request) => {
        runs.count(request.headers.get("idempotency-key"));
        return playWeb(pathOf(request), request);
      };
      return getRequestListener(fence === null ? handler : fence.wrap(handler), {
        errorHandler: () => new Response("failed", { status: 500 }),
      }) as never;
    });
    return { ...both, runs };
  },
};
