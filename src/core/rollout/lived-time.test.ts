import { describe, expect, it } from "vitest";
import { aPlan } from "../../../test/builders.ts";
import { epochMs } from "../unit.ts";
import { onClockMoved, onRestart } from "./lived-time.ts";
import { heldMs, newRollout, type Rollout } from "./rollout.ts";

const ms = (value: number) => epochMs(1_700_000_000_000 + value);
const held = (over: Partial<Rollout>): Rollout => ({ ...newRollout(aPlan()), phase: "progressing", ...over });

describe("a hold", () => {
  it.each([60_000, -30_000, 86_400_000])("keeps what was held when the clock is set by %d ms", (byMs) => {
    const moved = onClockMoved(held({ holdingSince: ms(0), rollbackOrderedAt: ms(5) }), {
      kind: "clock-moved",
      at: ms(700 + byMs),
      byMs,
    });
    expect([heldMs(moved, ms(700 + byMs)), moved.rollbackOrderedAt]).toEqual([700, ms(5 + byMs)]);
    const paused = onClockMoved(held({ holdingSince: ms(0), pausedAt: ms(300), paused: true }), {
      kind: "clock-moved",
      at: ms(700 + byMs),
      byMs,
    });
    expect([heldMs(paused, ms(9_000 + byMs)), paused.pausedAt]).toEqual([300, ms(300 + byMs)]);
  });

  it("is the same rollout when nothing is measured from a time", () => {
    const rollout = held({});
    expect(onClockMoved(rollout, { kind: "clock-moved", at: ms(0), byMs: 900 })).toBe(rollout);
  });

  it.each([
    ["goes on from what was lived through", { holdingSince: ms(0) }, 20_000, 700, 700],
    ["begins anew where nothing is known to have been", { holdingSince: ms(0) }, 20_000, -5, 0],
    ["is not stretched by a clock that was set back", { holdingSince: ms(0) }, -30_000, 700, 700],
    ["counts no time of a pause", { holdingSince: ms(0), pausedAt: ms(300), paused: true }, 20_000, 700, 300],
  ])("after a restart %s", (_, over, at, livedUntil, expected) => {
    const event = { kind: "controller-restarted", lastKnownAt: ms(0), leaseMs: null } as const;
    const restarted = onRestart(held(over), { ...event, at: ms(at), livedUntil: ms(livedUntil) });
    expect([heldMs(restarted, ms(at)), restarted.restartedAt]).toEqual([expected, ms(at)]);
  });

  it("goes on by the clock alone in a journal from before there was a word of life", () => {
    const event = { kind: "controller-restarted", at: ms(900), lastKnownAt: ms(0), leaseMs: null } as const;
    expect(heldMs(onRestart(held({ holdingSince: ms(0) }), event), ms(900))).toBe(900);
  });
});
