import { afterEach, describe, expect, it } from "vitest";
import { aGate, traffic, watch } from "../../test/builders.ts";
import { shortPlan, World } from "../../test/controller/world.ts";
import type { RolloutPlan } from "../core/stage/plan.ts";
import { epochMs } from "../core/unit.ts";
import { EMPTY_ARM_WINDOW, type TelemetryWindow } from "../core/window/window.ts";

let world: World;
afterEach(() => world.controller.stop());

const METRIC = {
  name: "queue-age",
  source: "prometheus",
  url: "http://127.0.0.1:9090",
  candidate: "age{arm=candidate}",
  stable: "age{arm=stable}",
  timestamp: null,
  tokenFile: null,
  everyMs: 1_000,
  maxAgeMs: 10_000,
} as const;

function metricPlan(over: Partial<RolloutPlan> = {}): RolloutPlan {
  const options = {
    metric: METRIC.name,
    comparison: "ratio",
    better: "lower",
    promote: 1.2,
    stop: 2,
    failures: 3,
    passes: 3,
  };
  return shortPlan({
    stages: [traffic(20, 1_000), watch(1_000)],
    gates: [aGate("metric[queue-age]", options)],
    metrics: [METRIC],
    ...over,
  });
}

/** Both arms' readings; `null` for a series that is missing. */
function reads(candidate: number | null, stable: number | null): void {
  for (const [query, value] of [
    [METRIC.candidate, candidate],
    [METRIC.stable, stable],
  ] as const)
    world.readings.set(
      query,
      value === null
        ? { kind: "no-data", reason: "no series" }
        : { kind: "value", value, atEpochMs: epochMs(world.clock.wallMs()) },
    );
}

async function started(plan: RolloutPlan): Promise<void> {
  world = await new World().open();
  await world.run(2);
  await world.controller.apply(plan);
}

describe("metrics from outside", () => {
  it("promote after 3 readings within the limit and take back after 3 beyond it", async () => {
    await started(metricPlan());
    reads(11, 10);
    await world.run(40);
    expect(world.phase).toBe("promoted");
    await world.controller.stop();
    await started(metricPlan());
    reads(30, 10);
    await world.run(40);
    expect(world.phase).toBe("rolled-back");
    expect(world.stored?.rollout.cause).toMatchObject({ gate: "metric[queue-age]" });
  });

  it("never promote and never take back while the series is missing, or the source cannot be asked (D-7)", async () => {
    await started(metricPlan({ stages: [traffic(20, 1_000, 5_000), watch(1_000)] }));
    reads(null, 10);
    await world.run(60);
    expect([world.phase, world.stored?.rollout.verdicts[0]?.kind]).toEqual(["waiting", "no-data"]);
    world.readings.clear();
    await world.run(10);
    expect([world.phase, world.stored?.rollout.verdicts[0]?.kind]).toEqual(["waiting", "error"]);
    expect(world.stored?.rollout.verdicts[0]?.reason).toContain("nothing answers age{arm=candidate}");
    expect(world.stored?.rollout.candidateBp).toBe(2_000);
  });
});

describe("what a service counts", () => {
  const report = (seq: number, toolLoops: number): TelemetryWindow => ({
    gatewayId: "service-1",
    service: "support-rag",
    seq,
    startMs: epochMs(world.clock.wallMs() - 250),
    endMs: epochMs(world.clock.wallMs()),
    document: { epoch: 0, seq: 0 },
    candidateBp: 0 as TelemetryWindow["candidateBp"],
    arms: { stable: EMPTY_ARM_WINDOW, candidate: { ...EMPTY_ARM_WINDOW, counters: { toolLoops } } },
    gatewayFailures: 0,
  });

  it("RB-3: one tool loop takes the candidate back; the reporter is no gateway that a share waits for", async () => {
    await started(
      shortPlan({
        stages: [traffic(20, 60_000), watch(1_000)],
        gates: [aGate("tool-loop", { max: 0, onNoData: "hold" })],
      }),
    );
    await world.run(8);
    await world.controller.ingest("support-rag", [report(0, 0)], null);
    await world.run(1);
    expect([world.phase, world.stored?.rollout.verdicts[0]?.kind]).toEqual(["progressing", "pass"]);
    expect(world.hub.live("support-rag").map(({ gatewayId }) => gatewayId)).toEqual(["g1"]);
    await world.controller.ingest("support-rag", [report(1, 1)], null);
    await world.run(4);
    expect([world.phase, world.stored?.rollout.cause?.gate]).toEqual(["rolled-back", "tool-loop"]);
  });

  it("holds a stage whose counter nobody reports", async () => {
    await started(
      shortPlan({
        stages: [traffic(20, 1_000, 3_000), watch(1_000)],
        gates: [aGate("tool-loop", { max: 0, onNoData: "hold" })],
      }),
    );
    await world.run(30);
    expect([world.phase, world.stored?.rollout.verdicts[0]?.kind]).toEqual(["waiting", "no-data"]);
  });
});

describe("what a peak hour is", () => {
  const HOUR_MS = 3_600_000;
  const peak = aGate("peak-hour", { requestsPerSecond: null, lengthMs: HOUR_MS });
  const told = () => world.stored?.rollout.plan.gates.find(({ gate }) => gate === "peak-hour")?.options;

  it("ST-8: is learnt from a week of traffic, survives a restart, and stands in the plan that is carried out", async () => {
    world = await new World().open();
    const hourNow = Math.floor(world.clock.wallMs() / HOUR_MS);
    const hours = Array.from({ length: 168 }, (_, index) => ({
      service: "support-rag",
      hour: hourNow - 168 + index,
      requests: index === 100 ? 360_000 : index % 24 < 4 ? 36_000 : 3_600, // One hour of a crowd is no peak hour.
    }));
    await world.store.commit({ hours });
    await world.controller.stop();
    const again = await new World(world.store).open();
    world = again;
    await world.run(2);
    await world.controller.apply(shortPlan({ gates: [aGate("parity"), peak] }));
    expect(told()).toEqual({ requestsPerSecond: 10, lengthMs: HOUR_MS });
  });

  it("is not known in the first week, and what gateways report is stored by the minute", async () => {
    world = await new World().open();
    await world.run(8);
    await world.controller.apply(shortPlan({ gates: [aGate("parity"), peak] }));
    expect(told()).toEqual({ requestsPerSecond: null, lengthMs: HOUR_MS });
    await world.run(220);
    const stored = await world.store.hours(0);
    expect(stored.map(({ service }) => service)).toEqual(["support-rag"]);
    expect(stored[0]?.requests).toBeGreaterThan(1_000);
    expect((stored[0]?.requests ?? 0) % 50).toBe(0);
  });
});
