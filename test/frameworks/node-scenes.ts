import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";
import { answerAt } from "./answers.ts";
import { BIG_CHUNK, BIG_CHUNKS, ENCODINGS, gateOf, pause, SLOW_MS } from "./scenes.ts";

export const FILE = fileURLToPath(new URL("package-lock.json", import.meta.url));
export const SMALL_FILE = fileURLToPath(new URL("package.json", import.meta.url));

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("base64");
}

async function writeMany(res: ServerResponse): Promise<void> {
  for (let count = 0; count < BIG_CHUNKS; count++) {
    if (!res.write(BIG_CHUNK)) await new Promise((resolve) => res.once("drain", resolve));
  }
  res.end();
}

async function writeEvents(res: ServerResponse): Promise<void> {
  res.writeHead(200, { "content-type": "text/event-stream" });
  for (const id of [1, 2, 3]) {
    res.write(`data: ${id}\n\n`);
    await pause(5);
  }
  res.end();
}

function writeHead(form: string | undefined, res: ServerResponse): void {
  if (form === "object") res.setHeader("x-b", "2").writeHead(201, { "x-a": ["1", "2"], "content-type": "text/plain" });
  if (form === "list") res.setHeader("x-a", "0").writeHead(201, ["x-a", "1", "X-B", "2"] as never);
  if (form === "reason") res.writeHead(201, "Made Here", { "x-a": "1" });
  if (form === "twice") {
    res.writeHead(202, { "x-a": "1" });
    try {
      res.writeHead(203);
    } catch {
      // Node refuses a second head once the first was sent, and only then.
    }
  }
  res.end("head");
}

const SCENES: Readonly<Record<string, (req: IncomingMessage, res: ServerResponse) => unknown>> = {
  pieces: (_, res) => {
    res.write("one, ");
    res.write(Buffer.from("two, "), () => setTimeout(() => res.end("three"), 2));
  },
  flushed: async (_, res) => {
    res.statusCode = 202;
    res.setHeader("x-a", "1").flushHeaders();
    await pause(2);
    res.end("flushed");
  },
  hints: (_, res) => {
    res.writeEarlyHints({ link: "</style.css>; rel=preload" });
    res.end("hinted");
  },
  pipe: (_, res) => void createReadStream(SMALL_FILE, { highWaterMark: 256 }).pipe(res),
  pipeline: (_, res) => void pipeline(createReadStream(SMALL_FILE, { highWaterMark: 256 }), res, () => {}),
  late: async (_, res) => {
    await pause(30);
    res.end("late");
  },
  twice: (_, res) => {
    res.on("error", () => {}); // Node tells on the response that a second answer came too late.
    res.end("first");
    res.end("second");
  },
  "after-end": (_, res) => {
    res.on("error", () => {}); // Node tells on the response that a chunk came too late.
    res.end("first");
    res.write("second");
  },
  "set-late": (_, res) => {
    res.write("a");
    try {
      res.setHeader("x-late", "1");
      res.end("set");
    } catch {
      res.end("refused");
    }
  },
  "undefined-header": (_, res) => {
    res.setHeader("x-next", undefined as never);
    res.end("ok");
  },
  "throw-before": () => {
    throw new Error("planted");
  },
  "throw-while": (_, res) => {
    res.write("half");
    throw new Error("planted");
  },
  "throw-after": (_, res) => {
    res.end("whole");
    throw new Error("planted");
  },
  destroy: (_, res) => {
    res.write("half");
    setTimeout(() => res.destroy(), 5);
  },
  big: (_, res) => writeMany(res),
  sse: (_, res) => writeEvents(res),
  timeout: async (_, res) => {
    await pause(SLOW_MS);
    if (!res.headersSent) res.end("too late");
  },
  slow: async (req, res) => {
    await gateOf(req.headers["idempotency-key"]);
    res.statusCode = 201;
    res.end("slow");
  },
  "slow-pipe": async (req, res) => {
    res.write("start ");
    await gateOf(req.headers["idempotency-key"]);
    createReadStream(SMALL_FILE, { highWaterMark: 256 }).pipe(res);
  },
  never: () => {},
  read: (_, res) => res.end("read"),
};

/** Plays a scene on Node's own request and response, as Express, Connect and plain servers do. */
export async function playNode(path: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [scene, ...rest] = path.split("/");
  const answer = answerAt(path);
  if (answer !== null) {
    res.statusCode = answer.status;
    for (const [name, value] of answer.headers ?? []) res.setHeader(name, value as string);
    return void (answer.body === undefined ? res.end() : res.end(answer.body));
  }
  if (scene === "echo") return void res.end(await bodyOf(req));
  if (scene === "encoding") {
    const [how, encoding] = rest as [string, BufferEncoding];
    const text = ENCODINGS.find(([name]) => name === encoding)?.[1] ?? "";
    if (how === "end") return void res.end(text, encoding);
    res.write(text, encoding);
    return void res.end();
  }
  if (scene === "head") return writeHead(rest[0], res);
  if (scene === "status") return void res.writeHead(Number(rest[0])).end("odd");
  const play = SCENES[scene as string];
  if (play === undefined) throw new Error(`no scene ${path}`);
  await play(req, res);
}
