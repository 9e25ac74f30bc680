import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cutProxy } from "./cut-proxy.mjs";

/** How long an answer may be on its way and a process may wait for its turn on a busy machine. */
const LATE_MS = 250;
const UP_WITHIN_MS = 60_000;

/** Starts the command line and waits for its first line of JSON. */
async function start(main, args, children) {
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
  return JSON.parse(line);
}

async function anOrigin(arm) {
  const server = createServer((_, res) => res.end(arm));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Asks a gateway all the time, each time as another user, and keeps when the candidate answered. */
function askAlways(url) {
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

async function until(what, isTrue, withinMs = UP_WITHIN_MS) {
  const endMs = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`${what} did not happen within ${withinMs} ms`);
    await sleep(20);
  }
}

/**
 * Two gateways with everybody on the candidate, one of them cut off from the controller at a random moment, then an
 * abort. Counts the candidate's answers to requests that were asked after what was promised.
 * @param main path of the built command line
 * @param random in [0, 1)
 */
export async function partition({ main, runs, leaseMs, random = Math.random, log = () => {} }) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-partition-"));
  const [children, closers] = [[], []];
  try {
    const [stable, candidate] = [await anOrigin("stable"), await anOrigin("candidate")];
    closers.push(stable, candidate);
    const { url } = await start(main, ["serve", "--data", join(folder, "near"), "--port", "0"], children);
    const proxy = await cutProxy(url);
    closers.push(proxy);
    mkdirSync(join(folder, "far"));
    const token = join(folder, "near", "token");
    copyFileSync(join(folder, "near", "gateway-token"), join(folder, "far", "gateway-token"));
    const secret = readFileSync(token, "utf8").trim();
    const document = (name) => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: partition
  stable: { url: "${stable.url}", release: r-stable, health: null }
  candidate: { url: "${candidate.url}", release: r-candidate, health: null }
  route: { driver: gateway, listen: "127.0.0.1:0", lease: ${leaseMs}ms, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  onFail: { do: rollback, to: stable, within: ${Math.ceil(leaseMs / 1_000) + 60}s }
  strategy: { canary: { steps: [{ weight: 100, hold: 1h }] } }
  gates: [{ use: demo }]
`;
    const file = join(folder, "rollout.yaml");
    writeFileSync(file, document("first"));
    const near = askAlways((await start(main, ["gateway", file, "--data", join(folder, "near")], children)).url);
    const far = askAlways(
      (await start(main, ["gateway", file, "--data", join(folder, "far"), "--controller", proxy.url], children)).url,
    );
    closers.push({ close: () => Promise.all([near.stop(), far.stop()]) });
    const call = async (path, body, key) => {
      const headers = {
        authorization: `Bearer ${secret}`,
        "content-type": "application/json",
        "idempotency-key": `"${key}"`,
      };
      const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    };
    const statusOf = async (name) => {
      const answer = await fetch(`${url}/v1/rollouts/${name}`, { headers: { authorization: `Bearer ${secret}` } });
      if (!answer.ok) throw new Error(`the status of ${name}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    const results = [];
    for (let run = 1; run <= runs; run++) {
      const name = `partition-${run}`;
      proxy.mend();
      await until("both gateways on stable", () => near.latest() === "stable" && far.latest() === "stable");
      await until("an accepted rollout", async () => {
        const paths = { set: null, map: null, corpus: null };
        const body = { document: document(name), file: "rollout.yaml", gold_digest: "", paths };
        return call("/v1/rollouts", body, `apply-${name}-${performance.now()}`).then(
          () => true,
          (error) => {
            log(String(error));
            return false;
          },
        );
      });
      await until("both on the candidate", () => near.latest() === "candidate" && far.latest() === "candidate");
      await sleep(random() * 1_000);
      proxy.cut();
      await sleep(random() * leaseMs * 0.8);
      const orderedAt = performance.now();
      await call(`/v1/rollouts/${name}/abort`, { reason: "partition" }, `abort-${name}`);
      const answeredAt = performance.now();
      let [endedAt, phase] = [null, ""];
      await until(
        "the end of the rollout",
        async () => {
          const askedAt = performance.now();
          phase = (await statusOf(name)).phase;
          if (!["aborted", "rollback-failed"].includes(phase)) return false;
          endedAt = askedAt;
          return true;
        },
        leaseMs + 90_000,
      );
      await sleep(leaseMs / 2);
      const after = (asked, fromMs) => asked.candidates.filter((at) => at > fromMs).length;
      const result = {
        phase,
        endedAfterMs: Math.round(endedAt - orderedAt),
        nearAfter1s: after(near, answeredAt + 1_000 + LATE_MS),
        farAfterLease: after(far, answeredAt + leaseMs + LATE_MS),
        farUntilLease: after(far, orderedAt),
        // "Aborted" was heard: from then on nobody may meet the candidate.
        afterToldAborted: phase === "aborted" ? after(near, endedAt + LATE_MS) + after(far, endedAt + LATE_MS) : 0,
      };
      results.push(result);
      log(`run ${run}: ${JSON.stringify(result)}`);
    }
    return results;
  } finally {
    for (const { close } of closers.reverse()) await close();
    for (const child of children.reverse()) child.kill("SIGKILL");
    await sleep(100);
    rmSync(folder, { recursive: true, force: true });
  }
}
