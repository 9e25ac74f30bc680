import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import next from "next";
import { Runs } from "./scenes.ts";
import { aFence, listen, shut } from "./serve.ts";
import type { Framework } from "./suite.ts";
import { NODE_ONLY } from "./web-scenes.ts";

const dir = fileURLToPath(new URL("next-app", import.meta.url));

async function build(): Promise<void> {
  const cli = fileURLToPath(new URL("node_modules/next/dist/bin/next", import.meta.url));
  const env = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" };
  const child = spawn(process.execPath, [cli, "build", dir], { env, stdio: ["ignore", "pipe", "pipe"] });
  let heard = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (heard += String(chunk)));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`next build failed (${code}):\n${heard}`);
}

/** The built application in this process: it finds the fence and the counters in globals. */
export const NEXT: Framework = {
  name: "Next.js 16 route handler",
  lacks: {
    ...NODE_ONLY,
    "answer: a status outside 200 to 599": "a web-standard response has no other status",
    "answer: an undefined header": "a web-standard header has no undefined value",
    "answer: the framework's 4xx error": "there is none for route handlers",
    "client: leaves a handler that never ends": "nothing tells: such a key stays in flight while its process lives",
  },
  async start() {
    await build();
    const runs = new Runs();
    Object.assign(globalThis, { sluiceFence: aFence(), sluiceRuns: runs });
    const app = next({ dev: false, dir, quiet: true });
    await app.prepare();
    const handle = app.getRequestHandler();
    const server = createServer((req, res) => void handle(req, res));
    const url = await listen(server);
    const close = async () => {
      await shut(server);
      await app.close();
    };
    return { fencedUrl: `${url}/fenced`, bareUrl: `${url}/bare`, runs, close };
  },
};
