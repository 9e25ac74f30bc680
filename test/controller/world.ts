import type { Manifest } from "../../src/core/release/manifest.ts";
import { isNewer, type RoutingDocument } from "../../src/core/routing/document.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import type { Bp, EpochMs } from "../../src/core/unit.ts";
import { binOf } from "../../src/core/window/sketch.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW, type TelemetryWindow } from "../../src/core/window/window.ts";
import { Controller, type ControllerOptions } from "../../src/controller/controller.ts";
import { GatewayRegistry } from "../../src/controller/gateway-registry.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { gatewayTraffic } from "../../src/drivers/traffic/gateway/index.ts";
import type { ControllerStore } from "../../src/ports/controller-store.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import type { MetricReading } from "../../src/ports/metric-source.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { aGate, aPlan, traffic, watch } from "../builders.ts";

const ERRORS = { alpha: 0.001, beta: 0.05, margin: { under10: 0.05, under50: 0.05, from50: 0.05 }, minSamples: 100 };
const SERVICE = "support-rag";

/** A rollout of one traffic stage and a short watch, judged by identity and errors. */
export const shortPlan = (over: Partial<RolloutPlan> = {}): RolloutPlan =>
  aPlan({
    stages: [traffic(20, 3_000), watch(1_000)],
    gates: [aGate("parity"), aGate("error-rate", { ...ERRORS })],
    ...over,
  });

export const aManifest = (over: Partial<Manifest> = {}): Manifest => ({
  release_id: "r1",
  INDEX_HASH: "i",
  METRIC: "cosine",
  ANALYZER: "a",
  EMBED_SCHEMA: "e",
  RERANK_CONF: "k",
  PROMPT_VER: "p",
  MODEL_VER: "m",
  SCHEMA_REV: { min: "sc-1", max: "sc-1" },
  secrets_rev: "s",
  BUILD_TS: "2026-01-01T00:00:00Z",
  ...over,
});

/**
 * A fake gateway: keeps its last good document, serves 50 requests a window by it, and sends each window
 * again until it is acknowledged. What it served is the truth a controller's counts are compared with.
 */
export class FakeGateway {
  readonly gatewayId: string;
  document: RoutingDocument | null = null;
  requestsAWindow = 50;
  failureShare = 0;
  /** Least share of the candidate at which it fails at all, as under load. */
  failsFromBp = 0;
  waiting: TelemetryWindow[] = [];
  lastWindow: TelemetryWindow | null = null;
  served = { stable: 0, candidate: 0 };
  readonly adopted: (readonly [epoch: number, seq: number, candidateBp: number])[] = [];
  #seq = 0;

  constructor(gatewayId: string) {
    this.gatewayId = gatewayId;
  }

  serve(endMs: number): void {
    const candidateBp = this.document?.candidateBp ?? 0;
    const candidate = Math.round((this.requestsAWindow * candidateBp) / 10_000);
    this.served.stable += this.requestsAWindow - candidate;
    this.served.candidate += candidate;
    const window: TelemetryWindow = {
      gatewayId: this.gatewayId,
      service: SERVICE,
      seq: this.#seq++,
      startMs: (endMs - 250) as EpochMs,
      endMs: endMs as EpochMs,
      document: this.epochSeq,
      candidateBp: candidateBp as Bp,
      arms: {
        stable: armWindow(this.requestsAWindow - candidate, 0),
        candidate: armWindow(candidate, candidateBp < this.failsFromBp ? 0 : this.failureShare),
      },
      gatewayFailures: 0,
    };
    this.lastWindow = window;
    this.waiting.push(window);
  }

  adopt(document: RoutingDocument | null): void {
    if (document === null || (this.document !== null && !isNewer(document, this.document))) return;
    this.document = document;
    this.adopted.push([document.epoch, document.seq, document.candidateBp]);
  }

  get epochSeq(): { readonly epoch: number; readonly seq: number } {
    return { epoch: this.document?.epoch ?? 0, seq: this.document?.seq ?? 0 };
  }
}

/** Spread, because a gate that compares quantiles proves nothing about requests that all took equally long. */
const LATENCIES_MS = Array.from({ length: 20 }, (_, index) => 40 * 1.08 ** index);

function armWindow(requests: number, failureShare: number): ArmWindow {
  const failures = Math.round(requests * failureShare);
  const classes: ArmWindow["classes"] = failures === 0 ? {} : { "headers|5xx|503": failures };
  const warm = LATENCIES_MS.flatMap((latencyMs, index) => {
    const count = Math.floor((requests - failures + index) / LATENCIES_MS.length);
    return count === 0 ? [] : [binOf(latencyMs), count];
  });
  const counts = { requests, requestsAll: requests, failures, failuresAll: failures };
  return { ...EMPTY_ARM_WINDOW, ...counts, classes, warm, newUnits: requests };
}

/** A controller, one fake gateway and a clock that moves when told. `open` again is a restart: only the store stays. */
export class World {
  readonly clock = manualClock();
  readonly gateway = new FakeGateway("g1");
  readonly logged: string[] = [];
  readonly store: ControllerStore;
  controller!: Controller;
  hub!: GatewayRegistry;
  metricOfCandidate = "cosine";
  /** What the fake metric source answers to each query; a query that is not here cannot be asked. */
  readonly readings = new Map<string, MetricReading>();
  isGatewayAlive = true;

  constructor(store: ControllerStore = memoryStore()) {
    this.store = store;
  }

  async open(over: (options: ControllerOptions) => ControllerOptions = (options) => options): Promise<this> {
    this.hub = new GatewayRegistry(() => this.clock.monoMs());
    const options: ControllerOptions = {
      store: this.store,
      hub: this.hub,
      traffic: { gateway: gatewayTraffic(this.hub) },
      probes: { run: () => Promise.reject(new DriverError("unsupported", "never", "no probes in this world")) },
      health: {
        read: (url) => {
          const METRIC = url.includes("4002") ? this.metricOfCandidate : "cosine";
          return Promise.resolve({ kind: "read", manifest: aManifest({ METRIC }) });
        },
      },
      metrics: () => ({
        name: "fake",
        read: ({ query }) => {
          const reading = this.readings.get(query);
          return reading === undefined
            ? Promise.reject(new DriverError("unreachable", "safe", `nothing answers ${query}`))
            : Promise.resolve(reading);
        },
      }),
      clock: this.clock,
      log: (line) => void this.logged.push(line),
      onFatal: (error) => void this.logged.push(`fatal: ${String(error)}`),
    };
    this.controller = await Controller.open(over(options));
    return this;
  }

  /** A quarter of a second of life: the gateway serves, adopts what is published and reports. */
  async quarter(): Promise<void> {
    await this.clock.advance(250);
    const { gateway } = this;
    gateway.serve(this.clock.wallMs());
    if (!this.isGatewayAlive) return;
    gateway.adopt(this.hub.current(SERVICE));
    const { waiting } = gateway;
    await this.controller.ingest(SERVICE, gateway.gatewayId, waiting, gateway.epochSeq).then(
      () => {
        gateway.waiting = [];
      },
      () => {}, // Not acknowledged: the same windows come again.
    );
    await this.clock.advance(50);
  }

  async run(quarters: number): Promise<void> {
    for (let index = 0; index < quarters; index++) await this.quarter();
  }

  get stored() {
    return this.controller.rollout("support-rag-7");
  }

  get phase(): string | undefined {
    return this.stored?.rollout.phase;
  }
}
