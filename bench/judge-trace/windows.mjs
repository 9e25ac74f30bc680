// Telemetry windows as one gateway sends them: recorded by the product's own recorder, users drawn by their bucket hash.
import { uniform } from "./events.mjs";

const target = (name) => ({ releaseId: name, endpoints: ["http://127.0.0.1:4001"], cachePrefix: `${name}:` });

/** Lines of windows at a steady rate, and how many requests they stand for. `load` imports a module of the build. */
export async function windowLines(load, { seed, perSecond, windowMs, windows, candidateBp = 1_000 }) {
  const { createRecorder } = await load("core/window/recorder.js");
  const random = uniform(seed);
  const document = {
    version: 1,
    service: "support-rag",
    epoch: 1,
    seq: 0,
    rolloutId: "bench",
    candidateBp,
    allow: [],
    closed: [],
    arms: { stable: target("a1"), candidate: target("b2") },
    sticky: { hash: "v1", seed, ttlMs: 0 },
    identity: { trustedHeaders: [], stickyBy: [] },
    drainMs: 0,
    issuedAt: 0,
  };
  let nowMs = 1_756_339_200_000;
  const recorder = createRecorder({ gatewayId: "bench", document, startMs: nowMs });
  const each = Math.round((perSecond * windowMs) / 1_000);
  let lines = "";
  for (let i = 0; i < windows; i++) {
    for (let k = 0; k < each; k++) {
      const hash = Math.floor(random() * 2 ** 32);
      const arm = hash < (candidateBp / 10_000) * 2 ** 32 ? "candidate" : "stable";
      const slot = recorder.arrive({ arm, reason: "sticky", hash });
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const failed = random() < 0.005 ? "headers|5xx|503" : null;
      recorder.record(slot, hash, random() < 0.02 ? "cold" : "warm", 900 * Math.exp(0.5 * normal), failed, nowMs);
    }
    nowMs += windowMs;
    lines += `${JSON.stringify(recorder.cut(nowMs))}\n`;
  }
  return { bytes: Buffer.from(lines), count: windows, events: each * windows };
}
