import type { Block } from "../src/core/judge/block.ts";
import { type GateSetting, readGateLabel } from "../src/core/judge/setting.ts";
import { newRollout, type Rollout } from "../src/core/rollout/rollout.ts";
import type { RolloutPlan, Stage } from "../src/core/stage/plan.ts";
import { type Preset, PRESETS } from "../src/spec/preset/index.ts";
import type { ShadowOrder } from "../src/core/routing/shadow.ts";
import { bp, type EpochMs, epochMs } from "../src/core/unit.ts";
import type { Verdict, VerdictKind } from "../src/core/verdict.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW } from "../src/core/window/window.ts";

export const T0: EpochMs = epochMs(1_800_000_000_000);
export const after = (ms: number): EpochMs => epochMs(T0 + ms);

export const traffic = (weightPercent: number, holdMs = 10_000, capMs = 60_000): Stage => ({
  kind: "traffic",
  candidateBp: bp(Math.round(weightPercent * 100)),
  holdMs,
  capMs,
  onCap: "wait",
});
export const watch = (holdMs = 5_000): Stage => ({ kind: "watch", holdMs });
export const probes = (tier: "smoke" | "full" = "full"): Stage => ({ kind: "probes", tier });

const MINUTE_MS = 60_000;
const CAP_MS = 8 * 60 * MINUTE_MS;
/** Seven stages with fixed shares, for policies whose own shares are chosen by evidence. */
export const LADDER: readonly Stage[] = [
  probes(),
  traffic(1, 15 * MINUTE_MS, CAP_MS),
  traffic(5, 15 * MINUTE_MS, CAP_MS),
  traffic(10, 15 * MINUTE_MS, CAP_MS),
  traffic(25, 15 * MINUTE_MS, CAP_MS),
  probes(),
  traffic(50, 30 * MINUTE_MS, CAP_MS),
  watch(60 * MINUTE_MS),
];

/** A label as people write it: a kind, with its instance in brackets. */
function settingNamed(label: string): Pick<GateSetting, "gate" | "instance"> {
  const { gate, about } = readGateLabel(label);
  return about === null ? { gate } : { gate, instance: about };
}

export const aGate = (label: string, options: Record<string, unknown> = {}): GateSetting => ({
  ...settingNamed(label),
  options,
  source: "test",
});

/** An order to copy a tenth of the requests. */
export function aShadowOrder(): ShadowOrder {
  return {
    shareBp: bp(1_000),
    perSecond: 50,
    inFlight: 16,
    bodyBytes: 0,
    timeoutMs: 1_000,
    methods: ["GET"],
    paths: [],
    headers: [],
    effects: "deny",
  };
}

export function aPlan(over: Partial<RolloutPlan> = {}): RolloutPlan {
  return {
    rolloutId: "support-rag-7",
    generation: 1,
    service: "support-rag",
    arms: {
      stable: {
        releaseId: "r-stable",
        url: "http://127.0.0.1:4001/answer",
        endpoints: ["http://127.0.0.1:4001"],
        cachePrefix: "a1:",
        healthUrl: "http://127.0.0.1:4001/healthz/ready",
        answerUrl: "http://127.0.0.1:4001/answer",
      },
      candidate: {
        releaseId: "r-candidate",
        url: "http://127.0.0.1:4002/answer",
        endpoints: ["http://127.0.0.1:4002"],
        cachePrefix: "b2:",
        healthUrl: "http://127.0.0.1:4002/healthz/ready",
        answerUrl: "http://127.0.0.1:4002/answer",
      },
    },
    stages: [traffic(10), traffic(50), watch()],
    gates: [aGate("error-rate")],
    onFail: { to: "stable" },
    changes: [],
    identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
    allow: [],
    sticky: { seed: 7, ttlMs: 86_400_000 },
    drainMs: 60_000,
    probes: null,
    metrics: [],
    driver: "gateway",
    rollbackWithinMs: 120_000,
    documentDigest: "sha256:0",
    claim: null,
    acceptedEpoch: 0,
    ...over,
  };
}

export function aRollout(over: Partial<Rollout> = {}, plan: Partial<RolloutPlan> = {}): Rollout {
  return { ...newRollout(aPlan(plan)), ...over };
}

/** A verdict by its label: a kind, with its topic in brackets. */
export function aVerdict(label: string, kind: VerdictKind, over: Partial<Verdict> = {}): Verdict {
  const { gate, about } = readGateLabel(label);
  return {
    gate,
    ...(about === null ? {} : { topic: about }),
    kind,
    estimate: 0.01,
    interval: [0, 0.02],
    samples: { stable: 900, candidate: 100 },
    threshold: 0.02,
    alpha: 0.001,
    eValue: 1,
    reason: `${label} is ${kind}`,
    needs: null,
    ...over,
  };
}

/** A preset by name, its bases resolved. */
export function aPreset(name: string): Preset {
  const preset = PRESETS[name];
  if (preset === undefined) throw new Error(`no preset is named ${name}`);
  return preset;
}

/** The gates of a preset as a plan has them. */
export function gatesOf({ name, gates, within }: Preset): readonly GateSetting[] {
  return Object.entries(gates).map(([gate, options]) => {
    const range = within[gate as keyof typeof within];
    const scope = range === undefined ? {} : { within: range };
    return { gate, options: { ...options }, source: `preset ${name}`, ...scope };
  });
}

/** A window of one arm; the `All` counts follow the evidence counts unless given. */
export function anArmWindow(over: Partial<ArmWindow>): ArmWindow {
  return { ...EMPTY_ARM_WINDOW, requestsAll: over.requests ?? 0, failuresAll: over.failures ?? 0, ...over };
}

/** One second of both arms' traffic at a share in percent, ending `endS` seconds after `T0`. */
export function aBlock(percent: number, stable: Partial<ArmWindow>, candidate: Partial<ArmWindow>, endS = 1): Block {
  const arms = { stable: anArmWindow(stable), candidate: anArmWindow(candidate) };
  return { candidateBp: bp(percent * 100), arms, endMs: after(endS * 1_000), spanMs: 1_000, source: "gw-1" };
}
