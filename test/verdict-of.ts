import { expect } from "vitest";
import type { Block, StageView, TrafficGate } from "../src/core/gate/gate.ts";
import { bp } from "../src/core/unit.ts";
import type { Verdict } from "../src/core/verdict.ts";

/** A traffic stage at a share in percent. */
export const atShare = (percent: number, heldMs = 0): StageView => ({
  kind: "traffic",
  candidateBp: bp(percent * 100),
  heldMs,
  holdMs: 0,
});

/** What one gate says at a share after the given blocks; its fuse and its verdict have to agree. */
export function verdictOf<O, S>(
  gate: TrafficGate<O, S>,
  options: O,
  percent: number,
  blocks: readonly Block[],
): Verdict {
  const state = blocks.reduce((last, block) => gate.fold(last, block, options), gate.start(options));
  const verdict = gate.decide(state, atShare(percent), options);
  expect(gate.isHarmProven(state, options)).toBe(verdict.kind === "fail");
  return verdict;
}
