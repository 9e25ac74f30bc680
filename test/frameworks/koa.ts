import { bodyParser } from "@koa/bodyparser";
import { createReadStream } from "node:fs";
import Koa from "koa";
import { koaIdempotency } from "../../dist/fence/index.js";
import { answerAt } from "./answers.ts";
import { playNode, SMALL_FILE } from "./node-scenes.ts";
import { gateOf, pause, Runs } from "./scenes.ts";
import { ABANDONED_MS, serveBoth } from "./serve.ts";
import type { Framework } from "./suite.ts";

const NODE_ONLY = "there is no such call on a Koa context";

async function echo(ctx: any): Promise<unknown> {
  const chunks: Buffer[] = [];
  if (!ctx.req.readableEnded) for await (const chunk of ctx.req) chunks.push(chunk);
  return { body: ctx.request.body ?? null, rest: Buffer.concat(chunks).toString("base64") };
}

async function play(path: string, ctx: any): Promise<void> {
  const answer = answerAt(path);
  if (answer !== null) {
    ctx.body = answer.body ?? null;
    ctx.status = answer.status;
    for (const [name, value] of answer.headers ?? []) ctx.set(name, value);
    return;
  }
  switch (path) {
    case "echo":
      ctx.body = await echo(ctx);
      return;
    case "native-json":
      ctx.status = 201;
      ctx.body = { made: true };
      return;
    case "file":
    case "pipe":
    case "pipeline":
      ctx.body = createReadStream(SMALL_FILE, { highWaterMark: 256 });
      return;
    case "late":
      await pause(20);
      ctx.body = "late";
      return;
    case "throw-4xx":
      return ctx.throw(422, "not so");
    case "throw-before":
      throw new Error("planted");
    case "slow":
      await gateOf(ctx.get("idempotency-key"));
      ctx.status = 201;
      ctx.body = "slow";
      return;
    case "read":
      ctx.body = "read";
      return;
    case "never":
      return new Promise(() => {});
  }
  ctx.respond = false; // Koa's own way to leave the answer to Node's response.
  await playNode(path, ctx.req, ctx.res).catch(() => void (ctx.res.writableEnded || ctx.res.destroy()));
}

function column(place: "before the parser" | "behind a parser"): Framework {
  return {
    name: `Koa 3, ${place}`,
    lacks: {
      "answer: text in every encoding: `end`": NODE_ONLY,
      "answer: text in every encoding: `write`": NODE_ONLY,
      "answer: `writeHead` in every form": NODE_ONLY,
      "answer: a timeout's 503": "Koa has no timeout of its own",
    },
    async start() {
      const runs = new Runs();
      const both = await serveBoth((fence) => {
        const app = new Koa();
        app.silent = true;
        const own =
          fence === null ? [] : [koaIdempotency(fence, { abandonedMs: ABANDONED_MS }) as unknown as Koa.Middleware];
        const parser = bodyParser({ enableTypes: ["json", "form", "text"] }) as unknown as Koa.Middleware;
        for (const middleware of place === "before the parser" ? [...own, parser] : [parser, ...own])
          app.use(middleware);
        app.use(async (ctx) => {
          runs.count(ctx.get("idempotency-key") || undefined);
          await play(ctx.path.slice(1), ctx);
        });
        return app.callback();
      });
      return { ...both, runs };
    },
  };
}

export const KOA = [column("before the parser"), column("behind a parser")];
