// Users as they should be: they ask at an even pace, whether or not answers come, on a few kept connections and on new
// ones. A request counts from when it was due.
import { Agent, request } from "node:http";

const TICK_MS = 10;
const PATIENCE_MS = 10_000;
/** Every so many requests come on a connection of their own. */
const NEW_CONNECTION_EVERY = 10;
const QUESTION = '{"q":"what is the refund window"}';

/** Asks `perSecond` times a second for some seconds; resolves when each request is answered or has failed. */
export async function askEvenly({ port, seconds, perSecond, patienceMs = PATIENCE_MS }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const latencies = [];
  const failures = new Map();
  const running = [];
  const startMs = performance.now();
  const total = seconds * perSecond;
  let due = 0;
  while (due < total) {
    const nowMs = performance.now() - startMs;
    for (; due < total && (due * 1_000) / perSecond <= nowMs; due++) {
      const dueMs = startMs + (due * 1_000) / perSecond;
      const asked = askOnce({
        port,
        patienceMs,
        agent: due % NEW_CONNECTION_EVERY === 0 ? false : agent,
        user: `user-${due % 997}`,
      });
      running.push(
        asked.then((failure) => {
          if (failure === null) latencies.push(performance.now() - dueMs);
          else failures.set(failure, (failures.get(failure) ?? 0) + 1);
        }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(running);
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? null; // Null: none was answered.
  const failed = total - latencies.length;
  return { asked: total, failed, failures: Object.fromEntries(failures), p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Null, or in a word what went wrong. */
function askOnce({ port, patienceMs, agent, user }) {
  return new Promise((resolve) => {
    const headers = { "x-user-id": user, "content-type": "application/json", "content-length": QUESTION.length };
    const req = request({ port, host: "127.0.0.1", path: "/ask", method: "POST", agent, headers }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode === 200 ? null : `status ${res.statusCode}`));
      res.on("error", (error) => resolve(error.code ?? "error"));
    });
    req.setTimeout(patienceMs, () => req.destroy(new Error("too late")));
    req.on("error", (error) => resolve(error.code ?? error.message));
    req.end(QUESTION);
  });
}
