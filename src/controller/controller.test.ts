import { afterEach, describe, expect, it } from "vitest";
import { aGate, aPlan, traffic, watch } from "../../test/builders.ts";
import type { Manifest } from "../core/release/manifest.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import type { EpochMs } from "../core/unit.ts";
import { binOf } from "../core/window/sketch.ts";
import { type ArmWindow, EMPTY_ARM_WINDOW, type TelemetryWindow } from "../core/window/window.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import { gatewayTraffic } from "../drivers/traffic/gateway/index.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { Controller } from "./controller.ts";
import { GatewayRegistry } from "./gateway-registry.ts";
import { statusWire } from "./status.ts";

const ERRORS = { alpha: 0.001, beta: 0.05, margin: { under10: 0.05, under50: 0.05, from50: 0.05 }, minSamples: 100 };

const manifest = (over: Partial<Manifest> = {}): Manifest => ({
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

/** A controller, one fake gateway that adopts at once and reports traffic, and a clock that moves when told. */
class World {
  readonly clock = manualClock();
  readonly hub = new GatewayRegistry(() => this.clock.monoMs());
  readonly logged: string[] = [];
  controller!: Controller;
  failureShare = 0;
  metricOfCandidate = "cosine";
  isGatewayAlive = true;
  lastWindow: TelemetryWindow | null = null;
  #seq = 0;
  readonly store: ControllerStore;

  constructor(store: ControllerStore = memoryStore()) {
    this.store = store;
  }

  async open(): Promise<this> {
    this.controller = await Controller.open({
      store: this.store,
      hub: this.hub,
      traffic: { gateway: gatewayTraffic(this.hub) },
      probes: { run: () => Promise.reject(new DriverError("unsupported", "never", "no probes in this world")) },
      health: {
        read: (url) => {
          const METRIC = url.includes("4002") ? this.metricOfCandidate : "cosine";
          return Promise.resolve({ kind: "read", manifest: manifest({ METRIC }) });
        },
      },
      clock: this.clock,
      log: (line) => void this.logged.push(line),
      onFatal: (error) => void this.logged.push(`fatal: ${String(error)}`),
    });
    return this;
  }

  /** A quarter of a second of life: 50 requests at the share in force, reported to the controller. */
  async quarter(): Promise<void> {
    await this.clock.advance(250);
    if (!this.isGatewayAlive) return;
    const document = this.hub.current("support-rag");
    const adopted = { epoch: document?.epoch ?? 0, seq: document?.seq ?? 0 };
    const candidateBp = document?.candidateBp ?? 0;
    const candidate = Math.round((50 * candidateBp) / 10_000);
    const arm = (requests: number, share: number): ArmWindow => {
      const failures = Math.round(requests * share);
      const classes: ArmWindow["classes"] = failures === 0 ? {} : { "headers|5xx|503": failures };
      const warm = requests === failures ? [] : [binOf(60), requests - failures];
      return {
        ...EMPTY_ARM_WINDOW,
        requests,
        requestsAll: requests,
        failures,
        failuresAll: failures,
        classes,
        warm,
        newUnits: requests,
      };
    };
    const window: TelemetryWindow = {
      gatewayId: "g1",
      service: "support-rag",
      seq: this.#seq++,
      startMs: (this.clock.wallMs() - 250) as EpochMs,
      endMs: this.clock.wallMs(),
      document: adopted,
      candidateBp: candidateBp as TelemetryWindow["candidateBp"],
      arms: { stable: arm(50 - candidate, 0), candidate: arm(candidate, this.failureShare) },
      gatewayFailures: 0,
    };
    this.lastWindow = window;
    await this.controller.ingest("support-rag", "g1", [window], adopted);
    await this.clock.advance(50);
  }

  async run(quarters: number): Promise<void> {
    for (let index = 0; index < quarters; index++) await this.quarter();
  }

  get phase(): string | undefined {
    return this.controller.rollout("support-rag-7")?.rollout.phase;
  }
}

const plan = (over: Partial<RolloutPlan> = {}): RolloutPlan =>
  aPlan({
    stages: [traffic(20, 3_000), watch(1_000)],
    gates: [aGate("parity"), aGate("error-rate", { ...ERRORS })],
    ...over,
  });

let world: World;
afterEach(() => world.controller.stop());

describe("the controller", () => {
  it("carries a healthy candidate to 100 % and leaves one document of it as stable", async () => {
    world = await new World().open();
    await world.run(2);
    expect((await world.controller.apply(plan())).kind).toBe("accepted");
    await world.run(60);
    expect(world.phase).toBe("promoted");
    expect(world.hub.current("support-rag")).toMatchObject({
      arms: { stable: { releaseId: "r-candidate" }, candidate: null },
    });
    expect(world.logged).toEqual([]);
  });

  it("takes a failing candidate back within two quarters of a second of telemetry, and closes its arm", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    world.failureShare = 1;
    await world.run(20);
    expect(world.phase).toBe("rolled-back");
    expect(world.hub.current("support-rag")).toMatchObject({ candidateBp: 0, closed: ["candidate"] });
    const stored = world.controller.rollout("support-rag-7");
    expect(stored?.observations.totals.requests.candidate).toBeLessThanOrEqual(20);
    expect(stored?.rollout.cause?.gate).toBe("error-rate");
  });

  it("ends with no candidate request when METRIC differs undeclared (SL-5, IX-3)", async () => {
    world = await new World().open();
    world.metricOfCandidate = "l2";
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(4);
    expect(world.phase).toBe("rolled-back");
    expect(world.controller.rollout("support-rag-7")?.observations.totals.requests.candidate).toBe(0);
  });

  it("fails a running rollout when an arm changes its identity under it", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 600_000), watch()] }));
    await world.run(8);
    world.metricOfCandidate = "l2";
    await world.run(40);
    expect(world.controller.rollout("support-rag-7")?.rollout.cause?.gate).toBe("parity");
  });

  it("refuses a second rollout of one service, and one without a gateway", async () => {
    world = await new World().open();
    expect(await world.controller.apply(plan())).toMatchObject({ kind: "refused", code: "no-gateway" });
    await world.run(2);
    await world.controller.apply(plan());
    expect((await world.controller.apply(plan())).kind).toBe("unchanged");
    expect(await world.controller.apply(plan({ rolloutId: "other-1", documentDigest: "x" }))).toMatchObject({
      kind: "refused",
      code: "conflict",
    });
  });

  it("rolls back when the gateway never confirms a share: unknown is not served", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    world.isGatewayAlive = false;
    await world.run(60);
    expect(world.phase).toBe("rolling-back");
    world.isGatewayAlive = true;
    await world.run(4);
    expect(world.phase).toBe("rolled-back");
  });

  it("continues after a restart at any quarter, publishes nothing twice and counts no window twice", async () => {
    for (let restartAt = 1; restartAt <= 24; restartAt += 1) {
      const store = memoryStore();
      world = await new World(store).open();
      await world.run(2);
      await world.controller.apply(plan());
      await world.run(restartAt);
      await world.controller.stop();
      const seen = world.controller.rollout("support-rag-7")?.observations.totals.requests;
      await world.open();
      expect(world.controller.rollout("support-rag-7")?.observations.totals.requests).toEqual(seen);
      await world.run(60);
      expect([restartAt, world.phase]).toEqual([restartAt, "promoted"]);
      const entries = await store.journal("support-rag-7");
      expect(entries.map(({ index }) => index)).toEqual(entries.map((_, index) => index));
      const ordered = entries.flatMap(({ effects }) => effects.map(({ id }) => id));
      expect(new Set(ordered).size).toBe(ordered.length);
      const splits = entries.flatMap(({ effects }) => effects).filter(({ kind }) => kind === "set-split").length;
      const document = world.hub.current("support-rag");
      expect(document).toMatchObject({ epoch: 2, seq: 1 });
      expect(splits).toBe(3);
      if (restartAt < 24) await world.controller.stop();
    }
  });

  it("takes the same window again for a repetition", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 600_000), watch()] }));
    await world.run(6);
    const before = world.controller.rollout("support-rag-7")?.observations;
    const again = [world.lastWindow as TelemetryWindow];
    await world.controller.ingest("support-rag", "g1", again, { epoch: 1, seq: 1 });
    expect(world.controller.rollout("support-rag-7")?.observations.totals).toEqual(before?.totals);
  });

  it("answers a command about an ended rollout with the reason it changes nothing, and takes back a promotion", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(60);
    const asked = { full: false, by: "ann", reason: "" };
    expect(await world.controller.command("support-rag-7", { ...asked, command: "abort" })).toMatchObject({
      kind: "no-effect",
    });
    expect(await world.controller.command("nobody", { ...asked, command: "abort" })).toEqual({ kind: "unknown" });
    await world.controller.command("support-rag-7", { ...asked, command: "rollback" });
    await world.run(4);
    expect(world.phase).toBe("rolled-back");
    expect(world.hub.current("support-rag")).toMatchObject({
      arms: { stable: { releaseId: "r-stable" } },
      closed: ["candidate"],
    });
  });

  it("tells where a rollout stands: phase, stage, share, verdicts, what comes next", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(8);
    const stored = world.controller.rollout("support-rag-7");
    if (stored === null) throw new Error("the rollout is there");
    const status = statusWire(
      stored,
      world.hub.current("support-rag"),
      await world.controller.journal("support-rag-7"),
      world.clock.wallMs(),
    );
    expect(status).toMatchObject({
      phase: "progressing",
      stage: { name: "20%" },
      share: { ordered_bp: 2_000 },
      exit_code: null,
    });
    expect(status.next).toMatch(/^holds 20% for \d s more$/);
  });
});
