import { spawn } from "node:child_process";
import { Agent, createServer, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const UP_WITHIN_MS = 60_000;

/** Runs the command line to its end; rejects when that is not exit 0. */
export async function run(main, args) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${said}`);
}

/** Starts the command line and waits for its first line of JSON. */
export async function start(main, args, children) {
  const child = spawn(process.execPath, [main, ...args, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let [out, said] = ["", ""];
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-4_000);
  });
  const line = await new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      out += chunk;
      if (out.includes("\n")) resolve(out.slice(0, out.indexOf("\n")));
    });
    child.once("exit", (code) => reject(new Error(`${args[0]} ended with ${code}: ${said}`)));
  });
  return { ...JSON.parse(line), child };
}

export async function anOrigin(arm) {
  const server = createServer((_, res) => res.end(arm));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Asks a gateway all the time, each time as another user, and keeps when the candidate answered. */
export function askAlways(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const candidates = [];
  let [user, isOver, latest] = [0, false, null];
  const ask = () =>
    new Promise((resolve) => {
      const askedAt = performance.now();
      const req = request(url, { agent, headers: { "x-user-id": `user-${user++}` } }, (res) => {
        latest = res.headers["x-sluice-arm"];
        if (latest === "candidate") candidates.push(askedAt);
        res.resume();
        res.on("end", resolve);
        res.on("error", resolve);
      });
      req.on("error", resolve);
      req.end();
    });
  const running = (async () => {
    while (!isOver) {
      await ask();
      await sleep(5);
    }
  })();
  return {
    candidates,
    latest: () => latest,
    async stop() {
      isOver = true;
      await running;
      agent.destroy();
    },
  };
}

/** @param found says how it stands, for the message when it does not happen */
export async function until(what, isTrue, withinMs = UP_WITHIN_MS, found = () => "") {
  const endMs = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`${what} did not happen within ${withinMs} ms ${await found()}`);
    await sleep(20);
  }
}
