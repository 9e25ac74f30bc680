import type { ServingArm } from "../../src/core/arm.ts";
import { UnitEvidence } from "../../src/core/by-unit/unit-evidence.ts";
import type { StageView } from "../../src/core/judge/block.ts";
import { type Evidence, foldEvidence, isHarmProven, judgeTraffic, startEvidence } from "../../src/core/judge/engine.ts";
import type { GateSetting } from "../../src/core/judge/setting.ts";
import { askedSignals } from "../../src/core/judge/asked-signals.ts";
import { classesOf } from "../../src/core/observe/observe.ts";
import type { Route } from "../../src/core/routing/route.ts";
import { drawCrowd } from "../../src/core/rehearsal/population.ts";
import { type RandomStream, randomStream } from "../../src/core/stats/random.ts";
import { bp, epochMs } from "../../src/core/unit.ts";
import type { Verdict } from "../../src/core/verdict.ts";
import { admitWindow } from "../../src/core/window/admit-window.ts";
import { createRecorder } from "../../src/core/window/recorder.ts";
import type { Told } from "../../src/core/window/signals.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { aDocument } from "../documents.ts";

/** What an arm tells of one answer to a user with a trait between 0 and 1. */
export type Tells = (arm: ServingArm, trait: number, random: RandomStream) => Told | null;

interface ToldTraffic {
  readonly tells: Tells;
  readonly percent?: number;
  readonly seconds: number;
  readonly requestsPerSecond?: number;
  readonly users?: number;
  readonly seed?: number;
  /** Whether windows say which units met what. */
  readonly hasUnits?: boolean;
}

export interface Judged {
  readonly verdicts: readonly Verdict[];
  /** Whether a fuse spoke at the end of any second. */
  readonly isStopped: boolean;
  /** Whether any gate said, at the end of any second, that harm is proven. */
  readonly isHarmSaid: boolean;
}

/** Users through a real recorder, over the wire and into the gates, second by second. */
export function judgeTold(gates: readonly GateSetting[], world: ToldTraffic): Judged {
  const { tells, percent = 10, seconds, requestsPerSecond = 50, users = 5_000, seed = 1, hasUnits = true } = world;
  const candidateBp = bp(percent * 100);
  const random = randomStream(seed);
  const trait = (stream: RandomStream) => stream();
  const crowd = drawCrowd({ users, zipf: 0.8, requestsPerSecond, trait, failure: () => 0 }, random);
  const { sticky } = aDocument();
  const document = aDocument({ candidateBp, sticky: { ...sticky, seed: crowd.key }, signals: askedSignals(gates) });
  const recorder = createRecorder({ gatewayId: "gw-1", document, startMs: epochMs(0) });
  const units = new UnitEvidence();
  let evidence: Evidence = startEvidence(gates);
  const stage = (heldS: number): StageView => ({
    kind: "traffic",
    candidateBp,
    heldMs: heldS * 1_000,
    holdMs: 0,
    ...(hasUnits ? { units } : {}),
  });
  let [isStopped, isHarmSaid] = [false, false];
  for (let second = 1; second <= seconds; second++) {
    const endMs = epochMs(second * 1_000);
    for (const { person, arm } of crowd.second(percent / 100, second)) {
      const place = recorder.arrive(routeTo(arm, person.hash));
      const told = tells(arm, person.trait, random);
      const isEvidence = recorder.record(place, person.hash, "warm", 60, null, endMs);
      if (isEvidence && told !== null) recorder.tell(place, person.hash, told);
    }
    const window = overTheWire(recorder.cut(endMs));
    if (window.units !== undefined) units.take(window.units, classesOf(window.arms));
    evidence = foldEvidence(evidence, { candidateBp, arms: window.arms, endMs, spanMs: 1_000, source: "gw-1" }, gates);
    isStopped ||= isHarmProven(evidence, stage(second), gates);
    isHarmSaid ||= judgeTraffic(evidence, stage(second), gates).some(({ reason }) =>
      /than chance|is proven/.test(reason),
    );
  }
  return { verdicts: judgeTraffic(evidence, stage(seconds), gates), isStopped, isHarmSaid };
}

function routeTo(arm: ServingArm, hash: number): Route {
  const { arms } = aDocument();
  const target = arms[arm] ?? arms.stable;
  return { arm, reason: "sticky", hash, target: { ...target, arm } };
}

/** As the controller gets it. */
function overTheWire(window: TelemetryWindow): TelemetryWindow {
  const admitted = admitWindow(JSON.parse(JSON.stringify(window)));
  if (Array.isArray(admitted)) throw new Error(JSON.stringify(admitted[0]));
  return admitted as TelemetryWindow;
}
