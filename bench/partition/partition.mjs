import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cutProxy } from "./cut-proxy.mjs";
import { anOrigin, askAlways, run, start, until } from "./parts.mjs";

/** How long an answer may be on its way and a process may wait for its turn on a busy machine. */
const LATE_MS = 250;
const ENDS = ["aborted", "rollback-failed"];

/** Two services, a controller, a gateway beside it and one behind a proxy that can be cut. */
async function openWorld(main, leaseMs, controllerPort) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-partition-"));
  const [children, closers] = [[], []];
  const close = async () => {
    for (const closer of closers.reverse()) await closer.close();
    for (const child of children.reverse()) child.kill("SIGKILL");
    await sleep(100);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [stable, candidate] = [await anOrigin("stable"), await anOrigin("candidate")];
    closers.push(stable, candidate);
    const [nearDir, farDir] = [join(folder, "near"), join(folder, "far")];
    const serve = (port) => start(main, ["serve", "--data", nearDir, "--port", port], children);
    let controller = await serve(String(controllerPort));
    const { url } = controller;
    const proxy = await cutProxy(url);
    closers.push(proxy);
    mkdirSync(farDir);
    // What `sluice token create --scope gateway` has somebody put in place.
    for (const name of ["gateway-token", "controller-key"]) copyFileSync(join(nearDir, name), join(farDir, name));
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
    const near = askAlways((await start(main, ["gateway", file, "--data", nearDir], children)).url);
    closers.push({ close: () => near.stop() });
    const behind = ["gateway", file, "--data", farDir, "--controller", proxy.url];
    const far = askAlways((await start(main, behind, children)).url);
    closers.push({ close: () => far.stop() });
    const secret = readFileSync(join(nearDir, "token"), "utf8").trim();
    const api = (path, init = {}) =>
      fetch(url + path, { ...init, headers: { ...init.headers, authorization: `Bearer ${secret}` } });
    return {
      leaseMs,
      near,
      far,
      proxy,
      document,
      close,
      /** True when it was answered and taken. */
      async order(path, body, key) {
        const headers = { "content-type": "application/json", "idempotency-key": `"${key}"` };
        const answer = await api(path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
        return answer?.ok === true;
      },
      /** Null when there is nobody who could say. */
      async phaseOf(name) {
        const answer = await api(`/v1/rollouts/${name}`).catch(() => null);
        return answer?.ok ? (await answer.json()).phase : null;
      },
      /** What every gateway said last. */
      async gateways() {
        const answer = await api("/v1/gateways").catch(() => null);
        return answer === null ? "no controller" : answer.text();
      },
      async kill() {
        const ended = new Promise((resolve) => controller.child.once("exit", resolve));
        controller.child.kill("SIGKILL");
        await ended;
      },
      async startAgain() {
        controller = await serve(new URL(url).port);
      },
      async backup() {
        rmSync(join(folder, "backup.gz"), { force: true });
        await run(main, ["backup", join(folder, "backup.gz"), "--data", nearDir]);
      },
      async restore() {
        await run(main, ["restore", join(folder, "backup.gz"), "--data", nearDir, "--replace"]);
        for (const name of readdirSync(nearDir))
          if (name.startsWith("database.before")) rmSync(join(nearDir, name), { recursive: true });
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function everybodyOnCandidate(world, name, log, isAgain = false) {
  const { near, far, order, document } = world;
  await until("an accepted rollout", async () => {
    const paths = { set: null, map: null, corpus: null };
    const body = { document: document(name), file: "rollout.yaml", gold_digest: "", paths };
    const key = `apply-${name}-${performance.now()}`;
    const isTaken = await (isAgain ? order(`/v1/rollouts/${name}/retry`, {}, key) : order("/v1/rollouts", body, key));
    if (!isTaken) log(`${name} is not taken yet`);
    return isTaken;
  });
  await until(
    "both on the candidate",
    () => near.latest() === "candidate" && far.latest() === "candidate",
    undefined,
    async () => `(near ${near.latest()}, far ${far.latest()}, ${await world.phaseOf(name)}, ${await world.gateways()})`,
  );
}

/** Orders the abort until some controller has taken it; when that was. */
async function abort(world, name) {
  await until("an abort that is taken", () => {
    return world.order(`/v1/rollouts/${name}/abort`, { reason: "partition" }, `abort-${name}-${performance.now()}`);
  });
  return performance.now();
}

/**
 * What happens to the controller while a gateway is cut off. Each resolves with the moments that promises count from:
 * `takenAt`, the abort was taken; `silentAt`, nobody was given a lease any more because nobody could give one.
 */
const VARIANTS = {
  /** Nothing: it lives, and the abort is ordered. */
  async cut(world, name) {
    const takenAt = await abort(world, name);
    return { takenAt, silentAt: takenAt };
  },
  /** It dies a moment after the abort was ordered, taken or not, and comes back. */
  async killed(world, name, random) {
    void world.order(`/v1/rollouts/${name}/abort`, { reason: "partition" }, `abort-${name}`);
    await sleep(random() * 300);
    await world.kill();
    const silentAt = performance.now();
    await sleep(random() * world.leaseMs);
    await world.startAgain();
    return { takenAt: await abort(world, name), silentAt };
  },
  /** Its database is lost and put back as it was while the rollout ran, before or after what was done since. */
  async restored(world, name) {
    await world.kill();
    const silentAt = performance.now();
    await world.restore();
    await world.startAgain();
    return { takenAt: await abort(world, name), silentAt };
  },
};

/** Before the cut, for the variant whose backup is older than what the gateways follow. */
async function prepare(world, name, random, log) {
  await world.backup();
  if (random() < 0.5) return; // Nothing happens between the backup and the loss.
  await abort(world, name);
  await until("the end before the second try", async () => (await world.phaseOf(name)) === "aborted");
  await everybodyOnCandidate(world, name, log, true);
}

async function oneRun(world, name, variant, random, log) {
  const { near, far, proxy, leaseMs } = world;
  proxy.mend();
  await until("both gateways on stable", () => near.latest() === "stable" && far.latest() === "stable");
  await everybodyOnCandidate(world, name, log);
  if (variant === "restored") await prepare(world, name, random, log);
  await sleep(random() * 1_000);
  proxy.cut();
  const cutAt = performance.now();
  await sleep(random() * leaseMs * 0.8);
  const orderedAt = performance.now();
  const { takenAt, silentAt } = await VARIANTS[variant](world, name, random);
  let [endedAt, phase] = [null, ""];
  await until(
    "the end of the rollout",
    async () => {
      const askedAt = performance.now();
      phase = await world.phaseOf(name);
      if (!ENDS.includes(phase)) return false;
      endedAt = askedAt;
      return true;
    },
    leaseMs + 90_000,
  );
  await sleep(leaseMs / 2);
  const after = (asked, fromMs) => asked.candidates.filter((at) => at > fromMs + LATE_MS).length;
  return {
    phase,
    endedAfterMs: Math.round(endedAt - orderedAt),
    // In reach: a second after the abort was taken, or one lease after nobody could renew it, whichever is later.
    nearAfter1s: after(near, variant === "cut" ? takenAt + 1_000 : Math.max(takenAt + 1_000, silentAt + leaseMs)),
    farAfterLease: after(far, Math.max(orderedAt, cutAt) + leaseMs),
    farUntilLease: after(far, orderedAt - LATE_MS),
    // "Aborted" was heard: from then on nobody may meet the candidate.
    afterToldAborted: phase === "aborted" ? after(near, endedAt) + after(far, endedAt) : 0,
  };
}

/**
 * Two gateways with everybody on the candidate, one of them cut off from the controller at a random moment, then an
 * abort. Counts the candidate's answers to requests that were asked after what was promised.
 * @param main path of the built command line
 * @param controllerPort where it listens, also when it comes back; 0 for any
 * @param variant what happens to the controller meanwhile: "cut" (nothing), "killed" or "restored"
 * @param random in [0, 1)
 */
export async function partition({
  main,
  runs,
  leaseMs,
  variant = "cut",
  controllerPort = 0,
  random = Math.random,
  log = () => {},
}) {
  const world = await openWorld(main, leaseMs, controllerPort);
  try {
    const results = [];
    for (let index = 1; index <= runs; index++) {
      const result = await oneRun(world, `partition-${index}`, variant, random, log);
      results.push(result);
      log(`run ${index}: ${JSON.stringify(result)}`);
    }
    return results;
  } finally {
    await world.close();
  }
}
