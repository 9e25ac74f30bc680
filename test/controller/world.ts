import type { Manifest } from "../../src/core/release/manifest.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { Controller } from "../../src/controller/controller.ts";
import type { ControllerOptions } from "../../src/controller/controller-options.ts";
import { takePush } from "../../src/controller/telemetry-push.ts";
import { GatewayRegistry } from "../../src/controller/gateway-registry.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { gatewayTraffic } from "../../src/drivers/traffic/gateway/index.ts";
import { KNOWN_DRIVERS } from "../../src/host/driver-registry.ts";
import type { ControllerStore } from "../../src/ports/controller-store.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import type { HealthManner } from "../../src/ports/health.ts";
import type { MetricReading } from "../../src/ports/metric-source.ts";
import { systemRandom } from "../../src/fence/system.ts";
import type { KeyRing } from "../../src/plane/key-ring.ts";
import { sharedSecretProof } from "../../src/plane/proof.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";
import { aGate, aPlan, traffic, watch } from "../builders.ts";
import { SimulatedGateway } from "./simulated-gateway.ts";

const ERRORS = { alpha: 0.001, beta: 0.05, margin: { under10: 0.05, under50: 0.05, from50: 0.05 }, minSamples: 100 };
const SERVICE = "support-rag";
/** What this world's controller and data planes share. */
export const SECRET = "a-secret-of-this-world";

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
 * A controller, one simulated gateway and a clock that moves when told. `open` again is a restart: only the store
 * stays.
 */
export class World {
  readonly clock: ManualClock;
  readonly gateway: SimulatedGateway;
  readonly logged: string[] = [];
  readonly store: ControllerStore;
  controller!: Controller;
  hub!: GatewayRegistry;
  metricOfCandidate = "cosine";
  /** Release that the service at a port reports; "r1" where nothing else is said, null when nobody answers there. */
  readonly releases: Record<number, string | null> = {};
  /** In what manner the fake health reader was asked. */
  readonly healthAsked: HealthManner[] = [];
  /** What the fake metric source answers to each query; a query that is not here cannot be asked. */
  readonly readings = new Map<string, MetricReading>();
  isGatewayAlive = true;

  /**
   * @param keys that the gateway believes; by default it looks at no signature
   * @param settle waits for a store that answers in its own time
   */
  constructor(store: ControllerStore = memoryStore(), keys?: KeyRing, settle?: () => Promise<void>) {
    this.store = store;
    this.clock = settle === undefined ? manualClock() : manualClock(undefined, settle);
    this.gateway = new SimulatedGateway("g1", SERVICE, this.clock, SECRET, keys);
  }

  async open(over: (options: ControllerOptions) => ControllerOptions = (options) => options): Promise<this> {
    this.hub = new GatewayRegistry(() => this.clock.monoMs());
    const options: ControllerOptions = {
      store: this.store,
      hub: this.hub,
      traffic: { gateway: gatewayTraffic(this.hub) },
      probes: {
        run: () => Promise.reject(new DriverError("unsupported", "never", "no probes in this world")),
        smoke: () => Promise.resolve(null),
      },
      health: {
        read: (url, _signal, manner = {}) => {
          this.healthAsked.push(manner);
          const METRIC = url.includes("4002") ? this.metricOfCandidate : "cosine";
          const release = this.releases[Number(new URL(url).port)];
          if (release === null) return Promise.resolve({ kind: "unreadable", reason: "no answer (ECONNREFUSED)" });
          return Promise.resolve({ kind: "read", manifest: aManifest({ METRIC, release_id: release ?? "r1" }) });
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
      drivers: KNOWN_DRIVERS,
      clock: this.clock,
      random: systemRandom,
      proof: sharedSecretProof(SECRET),
      signer: null, // Its data planes are told so; key-desk.test.ts is about signatures.
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
    gateway.serve();
    if (!this.isGatewayAlive) return;
    await gateway.hear(this.hub.current(SERVICE));
    const { waiting } = gateway;
    await this.#push(waiting).then(
      () => {
        gateway.waiting = [];
      },
      () => {}, // Not acknowledged: the same windows come again.
    );
    await this.clock.advance(50);
  }

  /** What the controller does with a push, and what the gateway does with its answer. */
  async #push(windows: readonly TelemetryWindow[]): Promise<void> {
    const { gateway, controller } = this;
    const { report, ask } = gateway.plane.report(`nonce-of-quarter-${this.clock.monoMs()}`, false);
    const { gatewayId, epochSeq: adopted } = gateway;
    const grant = await takePush(controller, { service: SERVICE, gatewayId, windows, adopted, report, version: 2 });
    if (grant !== null) await gateway.plane.hear(ask, grant);
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
