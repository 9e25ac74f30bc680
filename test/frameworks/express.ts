import compression from "compression";
import timeout from "connect-timeout";
import session from "express-session";
import express4 from "express4";
import express5 from "express5";
import multer from "multer";
import responseTime from "response-time";
import { expressIdempotency, type Idempotency } from "../../dist/fence/index.js";
import { playNode, SMALL_FILE } from "./node-scenes.ts";
import { Runs } from "./scenes.ts";
import { ABANDONED_MS, serveBoth } from "./serve.ts";
import type { Framework, Served } from "./suite.ts";

type Express = typeof express5;
type App = ReturnType<Express>;

/** Where the fence stands among the usual middleware. */
type Place =
  | "alone"
  | "before the parsers"
  | "behind parsers that keep bytes"
  | "behind everything"
  | "before everything";

const NOT_HERE = {
  "answer: a timeout's 503": "needs the timeout middleware; see its column",
};

function parsers(express: Express, keepsBytes: boolean): unknown[] {
  const verify = (req: { rawBody?: unknown }, _: unknown, bytes: Buffer) => void (req.rawBody = bytes);
  const options = keepsBytes ? { verify: verify as never } : {};
  return [
    express.json(options),
    express.urlencoded({ extended: false, ...options }),
    express.text(options),
    express.raw(),
    ...(keepsBytes ? [] : [multer().any()]),
  ];
}

const usual = (express: Express) => [
  responseTime(),
  compression({ threshold: 0 }),
  session({ secret: "s", resave: false, saveUninitialized: true }),
  ...parsers(express, true),
];

function stackOf(express: Express, place: Place, fence: Idempotency | null): unknown[] {
  const own = fence === null ? [] : [expressIdempotency(fence, { abandonedMs: ABANDONED_MS })];
  if (place === "alone") return own;
  if (place === "before the parsers") return [...own, ...own, ...parsers(express, false)];
  if (place === "behind parsers that keep bytes") return [...parsers(express, true), ...own];
  if (place === "behind everything") return [...usual(express), ...own];
  return [...own, ...usual(express)];
}

/** The body as parsers left it, or the stream where they left that. */
async function echo(req: any): Promise<unknown> {
  const files = (req.files ?? []).map((file: { buffer: Buffer }) => file.buffer.toString("base64"));
  const chunks: Buffer[] = [];
  if (!req.readableEnded) for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.isBuffer(req.body) ? req.body.toString("base64") : req.body;
  return { body, files, rest: Buffer.concat(chunks).toString("base64") };
}

function route(app: App, runs: Runs): void {
  app.use((req: any, res: any, next: (error?: unknown) => void) => {
    runs.count(req.headers["idempotency-key"]);
    const path = req.path.slice(1);
    if (path === "echo") return void echo(req).then((found) => res.json(found), next);
    if (path === "native-json") return void res.status(201).json({ made: true });
    if (path === "file") return void res.sendFile(SMALL_FILE);
    if (path === "throw-4xx") return next(Object.assign(new Error("not so"), { status: 422, expose: true }));
    playNode(path, req, res).catch(next);
  });
  app.use((error: any, _: unknown, res: any, next: (error: unknown) => void) => {
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).send(`failed: ${error.message}`);
  });
}

async function start(express: Express, place: Place, withTimeout: boolean): Promise<Served> {
  const runs = new Runs();
  const both = await serveBoth((fence) => {
    const app = express();
    app.set("etag", false);
    // The middleware stands before every case, and runs out in one of them.
    if (withTimeout) app.use("/timeout", timeout("100ms"));
    if (withTimeout) app.use(timeout("60s"));
    for (const middleware of stackOf(express, place, fence)) app.use(middleware as never);
    route(app, runs);
    return app as never;
  });
  return { ...both, runs };
}

function column(version: 4 | 5, place: Place): Framework {
  const express = (version === 4 ? express4 : express5) as Express;
  return {
    name: `Express ${version}, ${place}`,
    start: () => start(express, place, false),
    lacks: NOT_HERE,
  };
}

export const EXPRESS: readonly Framework[] = ([4, 5] as const).flatMap((version) => [
  column(version, "alone"),
  column(version, "before the parsers"),
  column(version, "behind parsers that keep bytes"),
  column(version, "behind everything"),
  column(version, "before everything"),
  {
    name: `Express ${version}, behind a timeout`,
    start: () => start((version === 4 ? express4 : express5) as Express, "alone", true),
  },
]);
