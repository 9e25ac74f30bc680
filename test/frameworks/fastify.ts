import multipart5 from "@fastify/multipart";
import multipart4 from "@fastify/multipart8";
import { createReadStream } from "node:fs";
import fastify4 from "fastify4";
import fastify5 from "fastify5";
import { fastifyFence, fastifyIdempotency } from "../../dist/fence/index.js";
import { answerAt } from "./answers.ts";
import { playNode, SMALL_FILE } from "./node-scenes.ts";
import { gateOf, pause, Runs } from "./scenes.ts";
import { ABANDONED_MS, aFence } from "./serve.ts";
import type { Framework } from "./suite.ts";

const NODE_ONLY = "there is no such call on a Fastify reply";
const LACKS = {
  "answer: text in every encoding: `end`": NODE_ONLY,
  "answer: text in every encoding: `write`": NODE_ONLY,
  "answer: `writeHead` in every form": NODE_ONLY,
  "answer: early hints (103)": NODE_ONLY,
  "answer: a timeout's 503": "Fastify has no timeout that answers",
};

async function echo(request: any): Promise<unknown> {
  if (request.isMultipart?.()) {
    const parts: unknown[] = [];
    for await (const part of request.parts())
      parts.push([part.fieldname, part.file ? (await part.toBuffer()).toString() : part.value]);
    return { parts };
  }
  const { body } = request;
  return { body: Buffer.isBuffer(body) ? body.toString("base64") : (body ?? null) };
}

/** Scenes as a Fastify handler plays them: it returns its payload, or replies by `send`. */
async function play(path: string, request: any, reply: any): Promise<unknown> {
  const answer = answerAt(path);
  if (answer !== null) {
    reply.code(answer.status);
    for (const [name, value] of answer.headers ?? []) reply.header(name, value);
    return reply.send(answer.body);
  }
  switch (path) {
    case "echo":
      return echo(request);
    case "native-json":
      reply.code(201);
      return { made: true };
    case "file":
    case "pipe":
    case "pipeline":
      return reply.type("application/json").send(createReadStream(SMALL_FILE, { highWaterMark: 256 }));
    case "late":
      await pause(20);
      return "late";
    case "twice":
      reply.send("first");
      reply.send("second");
      return reply;
    case "throw-4xx":
      throw Object.assign(new Error("not so"), { statusCode: 422 });
    case "throw-before":
      throw new Error("planted");
    case "slow":
      await gateOf(request.headers["idempotency-key"]);
      return reply.code(201).send("slow");
    case "read":
      return "read";
    case "never":
      return new Promise(() => {});
  }
  // What a reply cannot say is said on Node's own response, as Fastify allows after `hijack`.
  reply.hijack();
  await playNode(path, request.raw, reply.raw).catch(() => void (reply.raw.writableEnded || reply.raw.destroy()));
  return reply;
}

async function serve(fastify: any, multipart: any, how: "hook" | "handler", isFenced: boolean, runs: Runs) {
  const app = fastify();
  await app.register(multipart);
  const keepBytes = (request: any, bytes: Buffer, done: (error: Error | null, body?: unknown) => void) => {
    request.rawBody = bytes;
    done(null, request.headers["content-type"]?.includes("json") ? JSON.parse(bytes.toString()) : bytes.toString());
  };
  if (how === "handler") {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("multipart/form-data", (_: unknown, __: unknown, done: (error: null) => void) =>
      done(null),
    );
    for (const type of ["application/json", "*"]) app.addContentTypeParser(type, { parseAs: "buffer" }, keepBytes);
  } else app.addContentTypeParser("*", { parseAs: "buffer" }, keepBytes);
  const options = { abandonedMs: ABANDONED_MS };
  const handler = (request: any, reply: any) => {
    runs.count(request.headers["idempotency-key"]);
    return play(request.params["*"], request, reply);
  };
  if (how === "hook" && isFenced) app.addHook("onRequest", fastifyFence(aFence(), options));
  app.all("/*", how === "handler" && isFenced ? fastifyIdempotency(aFence(), handler, options) : handler);
  return { url: (await app.listen({ port: 0, host: "127.0.0.1" })) as string, close: () => app.close() };
}

function column(version: 4 | 5, how: "hook" | "handler"): Framework {
  const [fastify, multipart] = version === 4 ? [fastify4, multipart4] : [fastify5, multipart5];
  return {
    name: `Fastify ${version}, ${how === "hook" ? "as a hook" : "around a handler"}`,
    lacks: LACKS,
    async start() {
      const runs = new Runs();
      const [fenced, bare] = [
        await serve(fastify, multipart, how, true, runs),
        await serve(fastify, multipart, how, false, runs),
      ];
      return {
        fencedUrl: fenced.url,
        bareUrl: bare.url,
        runs,
        close: () => Promise.all([fenced.close(), bare.close()]),
      };
    },
  };
}

export const FASTIFY = [column(4, "hook"), column(5, "hook"), column(4, "handler"), column(5, "handler")];
