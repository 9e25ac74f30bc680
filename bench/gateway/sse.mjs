// Added lag of streamed answers: node sse.mjs [--rounds 3] [--seconds 4] [--streams 60]
// Core 0: the gateway. Core 1: the streaming service and the client, which share one monotonic clock.
import { spawn, spawnSync } from "node:child_process";
import { request, Agent, createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { median, settle } from "../measure.mjs";
import { cpuUs, freePort, need, needBuild, start } from "./processes.mjs";

const GAP_MS = 20;
const CHUNKS = 50;
const self = fileURLToPath(import.meta.url);
const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};

if (process.argv[2] === "service") await serve(Number(process.argv[3]));
else if (process.argv[2] === "client") await consume(...process.argv.slice(3).map(Number));
else await compare();

/** Streams 50 chunks, 20 ms apart, each with the time it was sent; the first goes out with the headers. */
async function serve(port) {
  const server = createServer((req, res) => {
    req.resume();
    if (req.url === "/up") return void res.end();
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    let sent = 0;
    const tick = () => {
      if (res.destroyed) return;
      res.write(
        `data: {"t":${process.hrtime.bigint()},"text":"lorem ipsum dolor sit amet consectetur adipiscing"}\n\n`,
      );
      if (++sent < CHUNKS) setTimeout(tick, GAP_MS);
      else res.end();
    };
    // Headers alone first: a proxy that waits for a body to send them holds back the first byte by one gap.
    res.flushHeaders();
    setTimeout(tick, GAP_MS);
  });
  server.listen({ port, host: "127.0.0.1", backlog: 4_096 });
}

/** Reads streams for some seconds and prints lags in microseconds as JSON. */
async function consume(port, streams, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4_096 });
  const lags = [];
  const headerTimes = [];
  let [chunks, errors, isOver] = [0, 0, false];
  const stream = () =>
    new Promise((resolve) => {
      const startedNs = process.hrtime.bigint();
      const headers = { "x-user-id": `u${Math.floor(Math.random() * 1e6)}` };
      const req = request({ agent, host: "127.0.0.1", port, path: "/stream", headers }, (res) => {
        headerTimes.push(Number(process.hrtime.bigint() - startedNs) / 1e3);
        res.setEncoding("latin1");
        res.on("data", (text) => {
          const nowNs = process.hrtime.bigint();
          for (const [, sentNs] of text.matchAll(/"t":(\d+)/g)) {
            lags.push(Number(nowNs - BigInt(sentNs)) / 1e3);
            chunks++;
          }
        });
        res.on("end", resolve);
        res.on("error", () => resolve(errors++));
      });
      req.on("error", () => resolve(errors++));
      req.end();
    });
  setTimeout(() => (isOver = true), seconds * 1e3);
  const reader = async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1e3));
    while (!isOver) await stream();
  };
  await Promise.all(Array.from({ length: streams }, reader));
  const at = (values, p) => values.sort((a, b) => a - b)[Math.floor(values.length * p)];
  const result = {
    chunks,
    errors,
    lag50: at(lags, 0.5),
    lag99: at(lags, 0.99),
    head50: at(headerTimes, 0.5),
    head99: at(headerTimes, 0.99),
  };
  console.log(JSON.stringify(result));
  process.exit(0);
}

async function compare() {
  need("taskset");
  needBuild();
  spawnSync("taskset", ["-pc", "1", String(process.pid)], { stdio: "ignore" });
  const [rounds, seconds, streams] = [option("--rounds", 3), option("--seconds", 4), option("--streams", 60)];
  const servicePort = await freePort();
  const service = await start(1, servicePort, process.execPath, self, "service", String(servicePort));
  const url = `http://127.0.0.1:${servicePort}`;
  const kinds = ["direct", "sluice", "bare"];
  const found = new Map(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) {
      if (kind === "direct") {
        found.get(kind).push({ ...(await runClient(servicePort, streams, seconds)), cpu: 0 });
        continue;
      }
      const port = await freePort();
      const serve = fileURLToPath(new URL("serve.mjs", import.meta.url));
      const server = await start(0, port, process.execPath, serve, kind, String(port), url, url, "http://127.0.0.1:1");
      await runClient(port, 20, 1);
      const before = cpuUs(server.pid);
      const result = await runClient(port, streams, seconds);
      found.get(kind).push({ ...result, cpu: (cpuUs(server.pid) - before) / result.chunks });
      await server.stop();
    }
  }
  await service.stop();
  report(found);
}

function runClient(port, streams, seconds) {
  return new Promise((resolve, reject) => {
    const args = ["-c", "1", process.execPath, self, "client", port, streams, seconds].map(String);
    const child = spawn("taskset", args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.once("error", reject);
    child.once("close", () => resolve(JSON.parse(text)));
  });
}

function report(found) {
  const of = (kind, name) => median(found.get(kind).map((run) => run[name]));
  console.log("path       CPU us/chunk   lag p50 ms   lag p99 ms   headers p50 ms   headers p99 ms   errors");
  for (const [kind, runs] of found) {
    const ms = (name) => (of(kind, name) / 1e3).toFixed(2);
    const errors = runs.reduce((sum, run) => sum + run.errors, 0);
    const cells = [of(kind, "cpu").toFixed(1), ms("lag50"), ms("lag99"), ms("head50"), ms("head99"), String(errors)];
    console.log(kind.padEnd(10), cells.map((cell, at) => cell.padStart([12, 12, 12, 16, 16, 8][at])).join(" "));
  }
  const addedMs = (of("sluice", "lag50") - of("direct", "lag50")) / 1e3;
  const headMs = of("sluice", "head50") / 1e3;
  const errors = found.get("sluice").reduce((sum, run) => sum + run.errors, 0);
  settle([
    { goal: "added lag p50 at most 1 ms", found: `${addedMs.toFixed(2)} ms`, met: addedMs <= 1 },
    {
      goal: `headers do not wait for the first chunk (${GAP_MS} ms later)`,
      found: `${headMs.toFixed(2)} ms`,
      met: headMs < GAP_MS / 2,
    },
    {
      goal: "CPU at most 110 us a chunk",
      found: `${of("sluice", "cpu").toFixed(1)} us`,
      met: of("sluice", "cpu") <= 110,
    },
    { goal: "no stream cut", found: `${errors}`, met: errors === 0 },
  ]);
}
