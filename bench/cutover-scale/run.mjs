// A stream of many messages and a cache of many keys in a Redis of its own: how long what a freeze waits for takes, and
// what the mover holds meanwhile. MESSAGES, KEYS and LEFT (messages that stable has not worked on yet) may be given.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { takeWatermark, untilSettled } from "../../dist/controller/orders/queue-drain.js";
import { moveConsumers } from "../../dist/controller/orders/queue-move.js";
import { writePointer } from "../../dist/controller/orders/queue-pointer.js";
import { redisCache } from "../../dist/drivers/cache/redis/index.js";
import { redisStreams } from "../../dist/drivers/queue/redis-streams/index.js";
import { systemClock } from "../../dist/fence/system.js";

const [messages, keys, left] = [
  Number(process.env.MESSAGES ?? 10_000_000),
  Number(process.env.KEYS ?? 1_000_000),
  Number(process.env.LEFT ?? 1_000),
];
const CHUNK = 100_000;
const [GOAL_MS, GOAL_BYTES] = [5_000, 16 * 1024 * 1024];
const never = new AbortController().signal;

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const folder = mkdtempSync(join(tmpdir(), "cutover-scale-"));
const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
const server = spawn("redis-server", options, { stdio: "ignore" });
const worker = new Redis(port, "127.0.0.1");
worker.on("error", () => {}); // Until it listens.

async function fill() {
  const add = "for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', 'body', 'x') end";
  for (let done = 0; done < messages - left; done += CHUNK)
    await worker.eval(add, 1, "jobs", Math.min(CHUNK, messages - left - done));
  const stood = (await worker.xrevrange("jobs", "+", "-", "COUNT", 1))[0]?.[0] ?? "0";
  await worker.call("XGROUP", "CREATE", "jobs", "blue", stood, "ENTRIESREAD", messages - left);
  await worker.eval(add, 1, "jobs", left);
  const put = `for n = ARGV[1], ARGV[2] do redis.call('HSET', 'blue:' .. n, 'written_by', 'blue', 'answer', 'x') end`;
  for (let done = 0; done < keys; done += CHUNK) await worker.eval(put, 0, done + 1, Math.min(done + CHUNK, keys));
}

/** A worker of an arm: takes, settles, until it is told to end. */
async function work(consumer, until) {
  const own = new Redis(port, "127.0.0.1");
  while (!until.aborted) {
    const reply = await own
      .call("XREADGROUP", "GROUP", consumer, "w", "COUNT", 100, "STREAMS", "jobs", ">")
      .catch(() => null);
    const ids = (reply?.[1] ?? []).map(([id]) => id);
    if (ids.length > 0) await own.xack("jobs", consumer, ...ids);
    else await sleep(5);
  }
  own.disconnect();
}

const mover = new Redis(port, "127.0.0.1");
mover.on("error", () => {});
const queue = redisStreams({ client: mover });
const cache = redisCache({ client: mover, clock: systemClock });
const plan = {
  queue: { stable: "jobs", candidate: "jobs" },
  consumer: { stable: "blue", candidate: "green" },
  pointer: "jobs",
};
const steps = [];
async function timed(name, run) {
  const began = performance.now();
  const outcome = await run();
  steps.push([name, Math.round(performance.now() - began)]);
  if (outcome?.kind === "failed") throw new Error(`${name}: ${outcome.message}`);
}

async function freeze(epoch, to, named) {
  const consumer = plan.consumer[to === "candidate" ? "stable" : "candidate"];
  const switched = async (found) => (found.epoch === epoch + 2 ? null : { producersTo: "jobs" });
  await timed("drain-queue", async () => {
    const upTo = await takeWatermark(queue, plan, { id: `scale/${epoch}/drain`, epoch }, never);
    return untilSettled({ driver: queue, consumer, upTo, withinMs: 30_000, clock: systemClock }, never);
  });
  const move = { driver: queue, plan, to, epoch: epoch + 1, withinMs: 30_000, clock: systemClock, quietMs: 2_000 };
  await timed("move-consumers", () => moveConsumers(move, never));
  await timed("switch-producers", () => writePointer(queue, plan, epoch + 2, switched, never));
  await timed(named === null ? "purge-cache, all of it" : `purge-cache, ${named.length} named`, async () => {
    await cache.purge("blue:", named, never);
    if (named === null && (await cache.topKeys("blue:", 1, never)).length > 0) throw new Error("keys are left");
  });
}

try {
  const began = performance.now();
  await fill();
  console.log(`${messages} messages and ${keys} keys made in ${Math.round((performance.now() - began) / 1000)} s`);
  console.log(`Redis holds ${(await worker.info("memory")).match(/used_memory_human:(\S+)/)?.[1]}`);
  const stop = new AbortController();
  const workers = [work("blue", stop.signal), work("green", stop.signal)];
  await mover.ping();
  globalThis.gc?.();
  const [heapBefore, receivedBefore] = [process.memoryUsage().heapUsed, mover.stream.bytesRead];
  let heapMost = heapBefore;
  const sampling = setInterval(() => (heapMost = Math.max(heapMost, process.memoryUsage().heapUsed)), 20);
  const named = Array.from({ length: 100 }, (_, n) => String(n + 1));
  await freeze(1, "candidate", named);
  const frozenMs = steps.reduce((sum, [, ms]) => sum + ms, 0);
  const received = mover.stream.bytesRead - receivedBefore;
  for (const [name, ms] of steps) console.log(`  ${name}: ${ms} ms`);
  console.log(`frozen ${frozenMs} ms, goal <= ${GOAL_MS}; received ${received} bytes`);
  await timed("all of the namespace", async () => {
    await cache.purge("blue:", null, never);
    if ((await cache.topKeys("blue:", 1, never)).length > 0) throw new Error("keys are left");
  });
  clearInterval(sampling);
  const heldBytes = heapMost - heapBefore;
  console.log(
    `a purge of all ${keys - named.length} keys, read back: ${steps.at(-1)[1]} ms (before a freeze, for an arm without users)`,
  );
  console.log(
    `the mover's heap grew by ${(heldBytes / 1024 / 1024).toFixed(1)} MiB at most, garbage included, goal <= 16`,
  );
  stop.abort();
  await Promise.all(workers);
  if (frozenMs > GOAL_MS || heldBytes > GOAL_BYTES || received > 65_536) process.exitCode = 1;
} finally {
  mover.disconnect();
  worker.disconnect();
  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("exit", resolve));
  rmSync(folder, { recursive: true, force: true });
}
