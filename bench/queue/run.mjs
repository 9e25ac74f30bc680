// Jobs a second of one worker on Redis Streams: bare (take, effect, settle) and with what a cutover asks of it: the
// pointer read before each fetch, and each effect inside the fence. The effect is a POST to a receiver of its own
// process. Rows in turn, so that a slow minute of the machine falls on both. ROUNDS and JOBS may be given.
import { fork, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { redisFence } from "../../dist/drivers/fence/redis/index.js";
import { redisStreams } from "../../dist/drivers/queue/redis-streams/index.js";
import { once } from "../../dist/fence/index.js";
import { median } from "../measure.mjs";

const EFFECT_MS = Number(process.env.EFFECT_MS ?? 5);
if (process.argv[2] === "receiver") {
  // A partner that takes a few ms over each call, as partners do.
  const server = createServer((asked, answer) => {
    asked.resume().on("end", () => setTimeout(() => answer.end("{}"), EFFECT_MS));
  });
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
  process.on("disconnect", () => process.exit());
} else {
  await bench();
}

async function bench() {
  const [rounds, jobs, atOnce, goal] = [Number(process.env.ROUNDS ?? 7), Number(process.env.JOBS ?? 4_000), 32, 0.85];
  const never = new AbortController().signal;
  const port = await new Promise((resolve) => {
    const socket = createSocket().listen(0, "127.0.0.1", () => {
      const { port: free } = socket.address();
      socket.close(() => resolve(free));
    });
  });
  const folder = mkdtempSync(join(tmpdir(), "bench-queue-"));
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const server = spawn("redis-server", options, { stdio: "ignore" });
  const redis = new Redis(port, "127.0.0.1");
  redis.on("error", () => {}); // Until it listens.
  const receiver = fork(fileURLToPath(import.meta.url), ["receiver"]);
  const receiverPort = await new Promise((resolve) => receiver.once("message", resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const effect = () =>
    new Promise((resolve, reject) => {
      const asked = request({ port: receiverPort, host: "127.0.0.1", method: "POST", agent }, (answer) => {
        answer.resume().on("end", () => resolve({ done: true }));
      });
      asked.on("error", reject).end("{}");
    });

  const queue = redisStreams({ client: redis });
  const store = redisFence({ client: redis });
  const scope = "bench";
  const rows = {
    bare: { before: async () => {}, job: () => effect() },
    "with pointer and fence": {
      before: async () => {
        if ((await queue.readPointer("jobs", never))?.consumer !== "blue") throw new Error("blue does not act");
      },
      job: (id) => once({ store }, { scope, key: id, effectKey: id }, effect),
    },
  };

  async function run({ before, job }, stream) {
    const fill = "for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', 'body', 'x') end";
    await redis.eval(fill, 1, stream, jobs);
    await redis.call("XGROUP", "CREATE", stream, "blue", "0");
    const began = performance.now();
    let [isOver, done] = [false, 0];
    const worker = async () => {
      while (!isOver) {
        await before();
        const reply = await redis.call("XREADGROUP", "GROUP", "blue", "w", "COUNT", 4, "STREAMS", stream, ">");
        const entries = reply?.[1] ?? [];
        if (entries.length === 0) isOver = true;
        for (const [id] of entries) {
          await job(`${stream} ${id}`);
          await redis.xack(stream, "blue", id);
          done++;
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    if (done !== jobs) throw new Error(`${done} of ${jobs} jobs were done`);
    await redis.unlink(stream);
    return (jobs / (performance.now() - began)) * 1_000;
  }

  try {
    const record = { producersTo: "jobs", consumer: "blue", phase: "acting", from: {}, watermark: null };
    await queue.movePointer("jobs", { ...record, epoch: 1, step: 0 }, never);
    const found = Object.fromEntries(Object.keys(rows).map((name) => [name, []]));
    for (let round = 0; round <= rounds; round++)
      for (const [name, row] of Object.entries(rows)) {
        const rate = await run(row, `${name} ${round}`);
        if (round > 0) found[name].push(rate); // The first warms up.
      }
    for (const [name, rates] of Object.entries(found)) console.log(`${name}: ${Math.round(median(rates))} jobs/s`);
    const ratios = found["with pointer and fence"].map((rate, round) => rate / found.bare[round]);
    const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
    const ratio = median(ratios);
    console.log(
      `ratio ${ratio.toFixed(2)} [${low}..${high}] of ${rounds} rounds of ${jobs} jobs, ${atOnce} at once, an effect of ${EFFECT_MS} ms; goal >= ${goal}`,
    );
    if (ratio < goal) process.exitCode = 1;
  } finally {
    agent.destroy();
    receiver.disconnect();
    redis.disconnect();
    server.kill("SIGTERM");
    await new Promise((resolve) => server.once("exit", resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}
