import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { QueuePointer } from "../../ports/queue.ts";
import { decodePointer, encodePointer, supersedes } from "./pointer-text.ts";

const RECORD: QueuePointer = {
  producersTo: "jobs",
  consumer: "blue",
  phase: "acting",
  from: { jobs: { "0": "5" } },
  watermark: { process: "c-1/1", upTo: { jobs: { "0": "9" } } },
  epoch: 4,
  step: 1,
};

describe("a queue's pointer as text", () => {
  it("is one text for one record, whatever the order of its keys, and is read back", () => {
    const { epoch, ...rest } = RECORD;
    expect(encodePointer({ epoch, ...rest })).toBe(encodePointer(RECORD));
    expect(decodePointer("d", encodePointer(RECORD))).toEqual(RECORD);
  });

  it("is the record that the documentation shows to those who write workers", () => {
    const page = readFileSync(new URL("../../../docs/queue-cutover.md", import.meta.url), "utf8");
    const shown = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    expect(JSON.parse(encodePointer(decodePointer("d", shown)))).toEqual(JSON.parse(shown));
  });

  it("refuses what is no record, each field by itself", () => {
    const wrong = {
      producersTo: 1,
      consumer: null,
      phase: "resting",
      from: { jobs: { "0": 5 } },
      watermark: {},
      epoch: -1,
      step: 0.5,
    };
    for (const [name, value] of Object.entries(wrong))
      expect(() => decodePointer("d", JSON.stringify({ ...RECORD, [name]: value })), name).toThrow(
        /expected a queue's/,
      );
    expect(() => decodePointer("d", "{")).toThrow(/no JSON/);
  });

  it("is written over by a later record or the same one, by nothing else", () => {
    expect(supersedes(RECORD, null)).toBe(true);
    expect(supersedes({ ...RECORD }, RECORD)).toBe(true);
    expect(supersedes({ ...RECORD, step: 2 }, RECORD)).toBe(true);
    expect(supersedes({ ...RECORD, epoch: 5, step: 0 }, RECORD)).toBe(true);
    expect(supersedes({ ...RECORD, consumer: "green" }, RECORD)).toBe(false);
    expect(supersedes({ ...RECORD, epoch: 3, step: 9 }, RECORD)).toBe(false);
  });
});
