import { randomStream } from "../../src/core/stats/random.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { traffic, watch } from "../builders.ts";
import { shortPlan } from "../controller/world.ts";
import { type Point, POINTS } from "../controller/life.ts";
import { cutoverFaultOf, type CutoverPart, cutoverPartOf, type Hindrance, type Product } from "./cutover-scenario.ts";
import { Draw } from "./draw.ts";
import type { Noise, Way } from "./network.ts";

/** One thing that goes wrong. Times are of the world. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: "cut"; readonly plane: string; readonly ways: readonly Way[]; readonly forMs: number }
  | { readonly kind: "kill"; readonly point: Point | "anywhere"; readonly downMs: number }
  | {
      readonly kind: "restart-plane";
      readonly plane: string;
      readonly downMs: number;
      readonly keeps: "newest" | "nothing";
    }
  | { readonly kind: "stand" | "suspend"; readonly node: string; readonly forMs: number }
  | { readonly kind: "jump-wall"; readonly node: string; readonly byMs: number }
  | { readonly kind: "store-fails" | "store-slow"; readonly forMs: number }
  | { readonly kind: "hinder"; readonly product: Product; readonly how: Hindrance; readonly forMs: number }
);

/** One thing that a person does. */
export type Order = { readonly atMs: number } & (
  | { readonly kind: "pause" | "resume" | "abort" | "rollback" | "retry" }
  | { readonly kind: "promote"; readonly full: boolean; readonly despite: boolean }
  | { readonly kind: "override" | "follow"; readonly plane: string }
);

/** Everything of a run that is not drawn while it goes on. */
export interface Scenario {
  readonly seed: number;
  readonly planes: readonly string[];
  readonly plan: RolloutPlan;
  /** Of the candidate's answers, from a share on. */
  readonly failing: { readonly share: number; readonly fromBp: number };
  readonly noise: Noise;
  readonly orders: readonly Order[];
  readonly faults: readonly Fault[];
  /** When the faults stop. */
  readonly untilMs: number;
  /** Null: one rollout, as often as a person begins it again. */
  readonly cutover: CutoverPart | null;
}

export const CONTROLLER = "controller";
const QUIET: Noise = { loss: 0, duplicates: 0, delayMs: 0 };
const LIGHT: Noise = { loss: 0.02, duplicates: 0.05, delayMs: 60 };
const HEAVY: Noise = { loss: 0.15, duplicates: 0.25, delayMs: 1_500 };
/** Messages that nobody waits for any more still arrive: what was said before is heard after what was said since. */
const LATE: Noise = { loss: 0.05, duplicates: 0.5, delayMs: 6_000 };

/** Every third seed has a cutover: alone, before or after a rollout, or before another one. */
const CUTOVER_EVERY = 3;

/** What a seed stands for. */
export function scenarioOf(seed: number): Scenario {
  return seed % CUTOVER_EVERY === 0 ? withCutover(seed) : withRollout(seed);
}

function withCutover(seed: number): Scenario {
  const draw = new Draw(randomStream(seed));
  const planes = Array.from({ length: draw.of([1, 1, 2]) }, (_, index) => `g${index + 1}`);
  const part = cutoverPartOf(draw);
  const untilMs = draw.between(14_000, part.kinds.length > 1 ? 40_000 : 26_000);
  const isQuiet = draw.between(1, 10) === 1;
  const usual = () => faultOf(draw, planes, untilMs);
  return {
    seed,
    planes,
    plan: planOf(draw),
    failing: { share: 0, fromBp: 0 },
    noise: isQuiet ? QUIET : draw.of([QUIET, LIGHT, LIGHT, HEAVY]),
    orders: draw.list(2, () => wayBackOf(draw, untilMs)),
    faults: isQuiet ? [] : draw.list(7, () => cutoverFaultOf(draw, untilMs, usual)),
    untilMs,
    cutover: part,
  };
}

/** Somebody who wants everything back. */
function wayBackOf(draw: Draw, untilMs: number): Order {
  return { atMs: draw.between(1_100, untilMs), kind: draw.of(["abort", "rollback"] as const) };
}

function withRollout(seed: number): Scenario {
  const draw = new Draw(randomStream(seed));
  const planes = Array.from({ length: draw.of([1, 1, 2, 2, 3]) }, (_, index) => `g${index + 1}`);
  const untilMs = draw.between(7_000, 16_000);
  const isQuiet = draw.of([true, false, false, false, false, false, false, false]);
  return {
    seed,
    planes,
    plan: planOf(draw),
    failing: draw.of([
      { share: 0, fromBp: 0 },
      { share: 0, fromBp: 0 },
      { share: 1, fromBp: 0 },
      { share: 0.6, fromBp: 0 },
      { share: 1, fromBp: 2_500 },
    ]),
    noise: isQuiet ? QUIET : draw.of([QUIET, LIGHT, LIGHT, HEAVY, LATE]),
    orders: draw.list(4, () => ordersOf(draw, planes, untilMs)).flat(),
    faults: isQuiet ? [] : draw.list(6, () => faultsOf(draw, planes, untilMs)).flat(),
    untilMs,
    cutover: null,
  };
}

function planOf(draw: Draw): RolloutPlan {
  const steps = draw.of([[20], [20], [10, 50], [5, 20, 50]]);
  const stages = [...steps.map((percent) => traffic(percent, draw.of([500, 1_000]), 6_000)), watch(1_000)];
  const onFail = { to: draw.of(["stable", "previous-stage"] as const) };
  return shortPlan({ stages, onFail, leaseMs: draw.of([1_500, 3_000, 3_000, 5_000, null]) });
}

/** One order, or two that cross: two people, or one who changes his mind. */
function ordersOf(draw: Draw, planes: readonly string[], untilMs: number): readonly Order[] {
  const order = orderOf(draw, planes, untilMs);
  if (draw.of([true, true, false])) return [order];
  return [order, { ...orderOf(draw, planes, untilMs), atMs: order.atMs + draw.of([0, 0, 1, 5, 200]) }];
}

function orderOf(draw: Draw, planes: readonly string[], untilMs: number): Order {
  const atMs = draw.of([draw.between(1_000, 1_300), draw.between(1_200, untilMs), draw.between(1_200, untilMs)]);
  const kind = draw.of(["pause", "resume", "abort", "abort", "rollback", "retry", "promote", "override"] as const);
  if (kind === "promote") return { atMs, kind, full: draw.of([true, false]), despite: draw.of([true, false]) };
  if (kind === "override") return { atMs, kind: draw.of(["override", "follow"]), plane: draw.of(planes) };
  return { atMs, kind };
}

/** One fault; a machine that sleeps is often away from the network for longer than it sleeps. */
function faultsOf(draw: Draw, planes: readonly string[], untilMs: number): readonly Fault[] {
  const fault = faultOf(draw, planes, untilMs);
  if (fault.kind !== "suspend" || fault.node === CONTROLLER || draw.of([true, false])) return [fault];
  const { atMs, node, forMs } = fault;
  return [fault, { atMs, kind: "cut", plane: node, ways: ["up", "down"], forMs: forMs + draw.between(0, 4_000) }];
}

function faultOf(draw: Draw, planes: readonly string[], untilMs: number): Fault {
  const atMs = draw.between(500, untilMs);
  const plane = draw.of(planes);
  const node = draw.of([CONTROLLER, ...planes]);
  const forMs = draw.of([draw.between(50, 800), draw.between(500, 6_000)]);
  const kind = draw.of([
    "cut",
    "cut",
    "kill",
    "kill",
    "kill",
    "restart-plane",
    "stand",
    "suspend",
    "jump-wall",
    "store-fails",
    "store-slow",
  ] as const);
  switch (kind) {
    case "cut":
      return { atMs, kind, plane, ways: draw.of([["up"], ["down"], ["up", "down"]] as const), forMs };
    case "kill":
      return { atMs, kind, point: draw.of([...POINTS, "anywhere"] as const), downMs: draw.between(20, 4_000) };
    case "restart-plane":
      return { atMs, kind, plane, downMs: draw.between(20, 4_000), keeps: draw.of(["newest", "newest", "nothing"]) };
    case "jump-wall":
      return { atMs, kind, node, byMs: draw.of([-30_000, -1_000, 900, 60_000, 86_400_000]) };
    case "stand":
    case "suspend":
      return { atMs, kind, node, forMs };
    case "store-fails":
    case "store-slow":
      return { atMs, kind, forMs: Math.min(forMs, 2_000) };
  }
}
