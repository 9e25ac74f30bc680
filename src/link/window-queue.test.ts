import { describe, expect, it } from "vitest";
import { EMPTY_ARM_WINDOW, type TelemetryWindow } from "../core/window/window.ts";
import { type Bp, epochMs } from "../core/unit.ts";
import { WindowQueue } from "./window-queue.ts";

const window = (seq: number): TelemetryWindow => ({
  gatewayId: "g",
  service: "s",
  seq,
  startMs: epochMs(0),
  endMs: epochMs(1),
  document: { epoch: 1, seq: 1 },
  candidateBp: 0 as Bp,
  arms: { stable: EMPTY_ARM_WINDOW, candidate: EMPTY_ARM_WINDOW },
  gatewayFailures: 0,
});
const seqs = (queue: WindowQueue, count = 99, chars = 1e9) => queue.oldest(count, chars).windows.map(({ seq }) => seq);

describe("WindowQueue", () => {
  it("gives the oldest first, again and again, until they are acknowledged", () => {
    const queue = new WindowQueue();
    for (const seq of [0, 1, 2, 3]) queue.add(window(seq));
    expect(seqs(queue, 3)).toEqual([0, 1, 2]);
    queue.acknowledge(1);
    expect(seqs(queue)).toEqual([2, 3]);
    queue.acknowledge(0);
    expect(seqs(queue)).toEqual([2, 3]);
    expect(queue.dropped).toBe(0);
  });

  it("keeps 2 400 windows and counts what it drops", () => {
    const queue = new WindowQueue();
    for (let seq = 0; seq < 2_500; seq++) queue.add(window(seq));
    expect([queue.length, queue.dropped, seqs(queue, 1)[0]]).toEqual([2_400, 100, 100]);
  });

  it("sends at least one window, however large, and JSON that reads back", () => {
    const queue = new WindowQueue();
    for (const seq of [0, 1]) queue.add(window(seq));
    const { windows, json } = queue.oldest(9, 10);
    expect(windows).toHaveLength(1);
    expect(JSON.parse(json)).toEqual([window(0)]);
  });
});
