import { expect } from "vitest";
import type { Block, ServiceHistory, StageView } from "../src/core/judge/block.ts";
import type { Gate, OpenTraffic } from "../src/core/judge/definition.ts";
import type { Fields, OptionsOf } from "../src/core/judge/fields.ts";
import type { ProbeReport } from "../src/core/measure/report.ts";
import { bp } from "../src/core/unit.ts";
import type { Verdict } from "../src/core/verdict.ts";

/** A traffic stage at a share in percent. */
export const atShare = (percent: number, heldMs = 0): StageView => ({
  kind: "traffic",
  candidateBp: bp(percent * 100),
  heldMs,
  holdMs: 0,
});

/** The options of a gate, as a test may write them. */
export type OptionsOfGate<G extends { readonly options: Fields }> = OptionsOf<G["options"]>;

/** A gate that reads traffic, opened. */
export function opened(gate: Gate, options: object): OpenTraffic {
  const traffic = gate.openTraffic({ ...options });
  if (traffic === null) throw new Error(`${gate.name} does not read traffic`);
  return traffic;
}

/** What a gate knows after the given blocks. */
export function stateOf(
  gate: Gate,
  options: object,
  blocks: readonly Block[],
  history: ServiceHistory = { known: [] },
): unknown {
  const traffic = opened(gate, options);
  return blocks.reduce((last, block) => traffic.fold(last, block), traffic.start(history));
}

/** What one gate says at a share after the given blocks; its fuse and its verdict have to agree. */
export function verdictOf(
  gate: Gate,
  options: object,
  percent: number,
  blocks: readonly Block[],
  history?: ServiceHistory,
): Verdict {
  const traffic = opened(gate, options);
  const state = stateOf(gate, options, blocks, history);
  const verdict = traffic.decide(state, atShare(percent));
  expect(traffic.isHarmProven(state)).toBe(verdict.kind === "fail");
  return verdict;
}

/** What one gate says about a probe report. */
export function probeVerdictsOf(
  gate: Gate,
  options: object,
  report: ProbeReport,
  stage: StageView,
): readonly Verdict[] {
  return gate.judgeProbes(report, stage, { ...options }) ?? [];
}
