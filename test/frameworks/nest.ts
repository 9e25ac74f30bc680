import "reflect-metadata";
import { All, Controller, HttpException, Module, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { expressIdempotency, fastifyFence } from "../../dist/fence/index.js";
import { playNode } from "./node-scenes.ts";
import { Runs } from "./scenes.ts";
import { ABANDONED_MS, aFence } from "./serve.ts";
import type { Framework } from "./suite.ts";

const LACKS = {
  "answer: a timeout's 503": "Nest has no timeout that answers",
  "answer: the framework's own file sending": "its platform's; see there",
};

/** Decorators are called by hand, because the suite is not compiled by TypeScript's own emitter. */
function moduleOf(runs: Runs, isFastify: boolean) {
  class Scenes {
    async play(req: any, res: any): Promise<unknown> {
      runs.count(req.headers["idempotency-key"]);
      const path = (req.originalUrl ?? req.url).slice(1);
      if (path === "native-json") return void (isFastify ? res.code(201) : res.status(201)).send({ made: true });
      if (path === "throw-4xx") throw new HttpException("not so", 422);
      if (path === "throw-before") throw new Error("planted");
      if (path === "echo" && req.body !== undefined && Object.keys(req.body).length > 0)
        return void res.send({ body: req.body });
      if (isFastify) res.hijack();
      const [nodeReq, nodeRes] = isFastify ? [req.raw, res.raw] : [req, res];
      await playNode(path, nodeReq, nodeRes).catch(() => void (nodeRes.writableEnded || nodeRes.destroy()));
      return undefined;
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Scenes.prototype, "play") as PropertyDescriptor;
  Req()(Scenes.prototype, "play", 0);
  Res()(Scenes.prototype, "play", 1);
  All(isFastify ? "*" : "*path")(Scenes.prototype, "play", descriptor);
  Controller()(Scenes);
  class App {}
  Module({ controllers: [Scenes] })(App);
  return App;
}

async function serve(platform: "Express" | "Fastify", isFenced: boolean, runs: Runs) {
  const adapter = platform === "Express" ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(moduleOf(runs, platform === "Fastify"), adapter as never, { logger: false });
  const options = { abandonedMs: ABANDONED_MS };
  if (platform === "Fastify") {
    const fastify = app.getHttpAdapter().getInstance() as any;
    if (isFenced) fastify.addHook("onRequest", fastifyFence(aFence(), options));
    fastify.addContentTypeParser("*", (_: unknown, __: unknown, done: (error: null) => void) => done(null));
  } else if (isFenced) app.use(expressIdempotency(aFence(), options));
  await app.listen(0, "127.0.0.1");
  return { url: (await app.getUrl()).replace("localhost", "127.0.0.1"), close: () => app.close() };
}

const column = (platform: "Express" | "Fastify"): Framework => ({
  name: `NestJS 11 on ${platform}`,
  lacks: LACKS,
  async start() {
    const runs = new Runs();
    const [fenced, bare] = [await serve(platform, true, runs), await serve(platform, false, runs)];
    return { fencedUrl: fenced.url, bareUrl: bare.url, runs, close: () => Promise.all([fenced.close(), bare.close()]) };
  },
});

export const NEST = [column("Express"), column("Fastify")];
