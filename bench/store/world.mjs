// A real controller on a store, with one gateway that counts what it serves. Time moves when it is told, so that an
// hour of a rollout takes seconds and every commit is one that a running controller makes.
import { uniform } from "../judge-trace/events.mjs";

const SERVICE = "support-rag";
const GATEWAY = "gateway-1.1";
const WINDOW_MS = 250;
const USERS = 5_000;
const SECRET = "a-secret-of-this-bench";
const ROLLOUT = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: bench-1 }
spec:
  service: ${SERVICE}
  stable: { url: "http://127.0.0.1:4001/answer" }
  candidate: { url: "http://127.0.0.1:4002/answer" }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 10, hold: 47h, cap: 48h }, { weight: 100, hold: 1h }] } }
  gates: [{ use: default }]
`;

/** The plan of the bench's rollout. */
export async function planOf(load, name = "bench-1", service = SERVICE) {
  const { readRollout } = await load("spec/read-rollout.js");
  const { planRollout } = await load("spec/plan.js");
  const { KNOWN_DRIVERS } = await load("host/driver-registry.js");
  const read = readRollout(ROLLOUT.replace("bench-1", name).replace(SERVICE, service), KNOWN_DRIVERS);
  if (read.document === undefined) throw new Error(JSON.stringify(read));
  const context = { file: "bench.yaml", generation: 1, seed: 7, documentDigest: "sha256:0", goldDigest: "" };
  const paths = { set: null, map: null, corpus: null };
  return planRollout(read.document, read.source, { ...context, drivers: KNOWN_DRIVERS, paths });
}

export async function open(load, store, clock) {
  const { Controller } = await load("controller/controller.js");
  const { GatewayRegistry } = await load("controller/gateway-registry.js");
  const { gatewayTraffic } = await load("drivers/traffic/gateway/index.js");
  const { sharedSecretProof } = await load("plane/proof.js");
  const { systemRandom } = await load("fence/system.js");
  const { KNOWN_DRIVERS } = await load("host/driver-registry.js");
  const hub = new GatewayRegistry(() => clock.monoMs());
  const manifest = (url) => ({
    release_id: url.includes("4002") ? "r2" : "r1",
    INDEX_HASH: "i",
    METRIC: "cosine",
    ANALYZER: "a",
    EMBED_SCHEMA: "e",
    RERANK_CONF: "k",
    PROMPT_VER: "p",
    MODEL_VER: "m",
    secrets_rev: "s",
    SCHEMA_REV: { min: "sc-1", max: "sc-1" },
    BUILD_TS: "2026-01-01T00:00:00Z",
  });
  const fatal = (error) => {
    throw error;
  };
  const controller = await Controller.open({
    store,
    hub,
    clock,
    random: systemRandom,
    proof: sharedSecretProof(SECRET),
    signer: null,
    traffic: { gateway: gatewayTraffic(hub) },
    probes: { run: () => Promise.reject(new Error("no probes here")), smoke: () => Promise.resolve(null) },
    health: { read: (url) => Promise.resolve({ kind: "read", manifest: manifest(url) }) },
    metrics: () => fatal(new Error("no metrics here")),
    drivers: KNOWN_DRIVERS,
    log: (line) => console.error(line),
    onFatal: fatal,
  });
  return { hub, controller };
}

export async function gatewayOf(load, clock, waiting, gatewayId = GATEWAY, service = SERVICE) {
  const { KeyRing } = await load("plane/key-ring.js");
  const { sharedSecretProof } = await load("plane/proof.js");
  const { RecordedPlane } = await load("plane/recorded-plane.js");
  const endpoints = ["http://127.0.0.1:4001"];
  return new RecordedPlane({
    gatewayId,
    planeId: `plane-of-${gatewayId}`,
    clock,
    keys: new KeyRing("unsigned"),
    proof: sharedSecretProof(SECRET),
    prepare: (table) => table,
    onWindow: (window) => waiting.push(window),
    document: {
      version: 1,
      service,
      epoch: 0,
      seq: 0,
      rolloutId: null,
      candidateBp: 0,
      drainMs: 0,
      issuedAt: 0,
      arms: { stable: { releaseId: "r1", endpoints, cachePrefix: "r1:" }, candidate: null },
      sticky: { hash: "v1", seed: 0, ttlMs: 0 },
      identity: { trustedHeaders: [], stickyBy: [] },
      allow: [],
      closed: [],
    },
  });
}

/** Starts the rollout. `quarter` lives a quarter of a second of it: it serves, hears, reports and is answered. */
export async function startWorld(load, store, { perSecond }) {
  const { manualClock } = await load("testing/manual-clock.js");
  const { takePush } = await load("controller/telemetry-push.js");
  const { route } = await load("core/routing/route.js");
  const [clock, waiting, random] = [manualClock(), [], uniform(7)];
  const { hub, controller } = await open(load, store, clock);
  const plane = await gatewayOf(load, clock, waiting);
  const quarter = async () => {
    await clock.advance(WINDOW_MS);
    serve(plane, { route, random, clock, requests: (perSecond * WINDOW_MS) / 1_000 });
    const document = hub.current(SERVICE);
    if (document !== null) await plane.offer(JSON.stringify(document));
    const { report, ask } = plane.report(`nonce-of-${clock.monoMs()}`, false);
    const adopted = { epoch: plane.document.epoch, seq: plane.document.seq };
    const windows = waiting.splice(0);
    const push = { service: SERVICE, gatewayId: GATEWAY, windows, adopted, report, version: 2 };
    const grant = await takePush(controller, push);
    if (grant !== null) await plane.hear(ask, grant);
    await store.tokens(); // Everything asked of the store before is done.
  };
  for (let warm = 0; warm < 4; warm++) await quarter();
  const applied = await controller.apply(await planOf(load));
  if (applied.kind !== "accepted") throw new Error(JSON.stringify(applied));
  return { controller, quarter, stop: () => Promise.all([controller.stop(), clock.advance(WINDOW_MS)]) };
}

/** Answers a window's requests by the share in force: lognormal latencies, 0.5 % failures, 2 % cold, both arms alike. */
export function serve(plane, { route, random, clock, requests }) {
  for (let request = 0; request < requests; request++) {
    const user = `user-${Math.floor(random() ** 2 * USERS)}`;
    const decision = route(plane.planAt(clock.monoMs()), user, null, null);
    const slot = plane.recorder.arrive(decision);
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const failed = random() < 0.005 ? "headers|5xx|503" : null;
    const temperature = random() < 0.02 ? "cold" : "warm";
    const latencyMs = 900 * Math.exp(0.5 * normal);
    plane.recorder.record(slot, decision.hash, temperature, latencyMs, failed, clock.monoMs());
  }
  plane.cut();
}
