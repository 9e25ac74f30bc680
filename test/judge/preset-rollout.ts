import { createHash } from "node:crypto";
import { isProbeGate, isTrafficGate } from "../../src/core/judge/gates.ts";
import type { ProbeReport } from "../../src/core/measure/report.ts";
import type { Manifest } from "../../src/core/release/manifest.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { binOf } from "../../src/core/window/sketch.ts";
import { type ArmWindow, COUNTERS, type Counter, type TelemetryWindow } from "../../src/core/window/window.ts";
import { planRollout, readRollout } from "../known-drivers.ts";
import { isProblems } from "../../src/spec/read-rollout.ts";
import { aManifest, World } from "../controller/world.ts";
import { aProbeReport } from "../probe-report.ts";

/** What one arm shows in its windows; healthy where nothing is said. */
export interface Shows {
  /** Share of the requests that fail with each class, to the letter over time. */
  readonly classes?: Readonly<Record<string, number>>;
  /** Its whole latency, as a multiple of a law of 20 values. */
  readonly slower?: number;
  readonly coldShare?: number;
  /** Hits in 1 000 cache lookups of a window, and suppressed among 1 000 repeated deliveries. */
  readonly cacheHits?: number;
  readonly suppressed?: number;
  readonly counters?: Readonly<Partial<Record<Counter, number>>>;
  readonly queueAgeMs?: (second: number) => number;
  readonly concurrency?: number;
}

/** One release of one preset: what both arms are, show and answer. */
export interface Release {
  readonly preset: string;
  /** Steps of the ladder; the preset's own where nothing is said. */
  readonly steps?: string;
  /** More of `spec.route`, from its comma on. */
  readonly route?: string;
  /** More lines of `spec`, each with its two spaces. */
  readonly more?: string;
  readonly stable?: Shows | ((second: number) => Shows);
  readonly candidate?: Shows | ((second: number) => Shows);
  readonly probe?: ProbeReport | ((run: number) => ProbeReport);
  /** Quarters of a second after which what holds is taken to hold. */
  readonly quarters?: number;
  /** What the arms' health endpoints say beyond one common manifest; null: not ready. */
  readonly health?: (arm: "stable" | "candidate", second: number) => Partial<Manifest> | null;
}

/** What a quarter of the world takes, the gateway's push included. */
const SECONDS_A_QUARTER = 0.3;
const REQUESTS_A_WINDOW = 2_000;
const LATENCIES_MS = Array.from({ length: 20 }, (_, index) => 40 * 1.08 ** index);

const documentOf = ({ preset, steps, route = "", more = "" }: Release) => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: "http://127.0.0.1:4001/answer" }
  candidate: { url: "http://127.0.0.1:4002/answer" }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }], allow: [vip]${route} }
${steps?.includes("probes") === false ? "" : "  probes: { set: gold.yaml }\n"}${steps === undefined ? "" : `  strategy: { canary: { steps: ${steps}, watch: 1s } }\n`}${more}  gates: [{ use: ${preset} }]
`;

/** The plan that a document of a preset becomes. */
export function planOf(release: Release): RolloutPlan {
  const read = readRollout(documentOf(release));
  if (isProblems(read)) throw new Error(JSON.stringify(read));
  return planRollout(read.document, read.source, {
    file: "rollout.yaml",
    generation: 1,
    seed: 7,
    documentDigest: `sha256:${createHash("sha256").update(documentOf(release)).digest("hex")}`,
    goldDigest: "sha256:gold",
    paths: { set: "gold.yaml", map: null, corpus: null },
  });
}

/** Counts `share` of what passes exactly, however small the windows are. */
class Exactly {
  readonly #owed = new Map<string, number>();
  of(name: string, share: number, total: number): number {
    const owed = (this.#owed.get(name) ?? 0) + share * total;
    const whole = Math.floor(owed + 1e-9);
    this.#owed.set(name, owed - whole);
    return whole;
  }
}

function latencies(count: number, factor: number, from: number): readonly number[] {
  const bins = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const bin = binOf(factor * (LATENCIES_MS[(from + index) % LATENCIES_MS.length] ?? 40));
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return [...bins].sort(([a], [b]) => a - b).flat();
}

/**
 * A world in which a preset's rollout is carried out by the real controller, over a data plane that reports as told.
 */
export class PresetRollout {
  readonly world = new World();
  readonly #release: Release;
  readonly #exactly = new Exactly();
  #probeRuns = 0;
  #seconds = 0;

  constructor(release: Release) {
    this.#release = release;
  }

  async start(): Promise<this> {
    const { probe = aProbeReport(), health } = this.#release;
    await this.world.open((options) => ({
      ...options,
      probes: {
        run: () => Promise.resolve(typeof probe === "function" ? probe(this.#probeRuns++) : probe),
        smoke: () => Promise.resolve(null),
      },
      health: {
        read: (url) => {
          const arm = url.includes("4002") ? "candidate" : "stable";
          const said = health === undefined ? {} : health(arm, this.#seconds);
          if (said === null) return Promise.resolve({ kind: "unreadable", reason: "not ready" });
          return Promise.resolve({ kind: "read", manifest: aManifest(said) });
        },
      },
    }));
    this.world.gateway.reshape = (window) => this.#reshape(window);
    await this.world.run(2);
    const { kind } = await this.world.controller.apply(planOf(this.#release));
    if (kind !== "accepted") throw new Error(`the document was ${kind}`);
    return this;
  }

  /** Goes on until `isDone`, or for so many quarters of a second. */
  async until(isDone: () => boolean, quarters = 120): Promise<void> {
    for (let index = 0; index < quarters && !isDone(); index++) {
      await this.world.quarter();
      this.#seconds = index * SECONDS_A_QUARTER;
    }
  }

  /** What became of the release: through its first step (and its probes), held by gates, or stopped by one. */
  async outcome(): Promise<string> {
    const isThrough = () => this.#rollout.stageIndex > 0 && this.#rollout.phase !== "rolling-back";
    const isOver = () => ["rolled-back", "retreating", "rolling-back"].includes(this.#rollout.phase);
    await this.until(() => isThrough() || isOver(), this.#release.quarters);
    await this.world.controller.stop();
    const { cause, verdicts, phase } = this.#rollout;
    if (isOver()) return `stopped by ${cause?.gate ?? phase}`;
    if (isThrough()) return "goes on";
    const isAsked = this.#rollout.plan.stages[0]?.kind === "probes" ? isProbeGate : isTrafficGate;
    const open = verdicts.filter(({ gate, kind }) => isAsked(gate) && kind !== "pass").map(({ gate }) => gate);
    return `held by ${[...new Set(open)].join(", ")}`;
  }

  get #rollout() {
    const rollout = this.world.stored?.rollout;
    if (rollout === undefined) throw new Error("there is no rollout");
    return rollout;
  }

  #reshape(window: TelemetryWindow): TelemetryWindow {
    const { stable = {}, candidate = {} } = this.#release;
    const mine = this.#exactly.of("share", window.candidateBp / 10_000, REQUESTS_A_WINDOW);
    const now = (shows: Shows | ((second: number) => Shows)) =>
      typeof shows === "function" ? shows(this.#seconds) : shows;
    // The counts are made up, so the units of the plane's own requests say nothing about them.
    const { units: _, ...counted } = window;
    return {
      ...counted,
      arms: {
        stable: this.#arm("stable", now(stable), REQUESTS_A_WINDOW - mine),
        candidate: this.#arm("candidate", now(candidate), mine),
      },
    };
  }

  #arm(arm: string, shows: Shows, requests: number): ArmWindow {
    const count = (name: string, share: number, total = requests) => this.#exactly.of(`${arm} ${name}`, share, total);
    const classes = Object.entries(shows.classes ?? {}).map(([name, share]) => [name, count(name, share)] as const);
    const failures = classes.reduce((sum, [, failed]) => sum + failed, 0);
    const answered = Math.max(0, requests - failures);
    const cold = count("cold", shows.coldShare ?? 0.01, answered);
    const queueAge = shows.queueAgeMs?.(this.#seconds) ?? 500;
    const watched = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
    const busy = requests > 0 ? 1 : 0;
    return {
      requests,
      failures,
      requestsAll: requests,
      failuresAll: failures,
      classes: Object.fromEntries(classes.filter(([, failed]) => failed > 0)),
      warm: latencies(answered - cold, shows.slower ?? 1, 0),
      cold: latencies(cold, 30, 0),
      probes: 0,
      newUnits: count("units", 0.5),
      counters: {
        ...watched,
        cacheLookups: 1_000 * busy,
        cacheHits: (shows.cacheHits ?? 800) * busy,
        repeatDeliveries: 1_000 * busy,
        suppressedDeliveries: (shows.suppressed ?? 1_000) * busy,
        ...(busy === 0 ? {} : shows.counters),
      },
      gauges: {
        queueAgeP95Ms: { sum: queueAge, readings: 1 },
        instanceConcurrency: { sum: shows.concurrency ?? 8, readings: 1 },
      },
    };
  }
}
