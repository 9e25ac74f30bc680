import { describe, expect, it } from "vitest";
import { aBlock, after } from "../../../../test/builders.ts";
import { randomStream } from "../../stats/random.ts";
import { bp } from "../../unit.ts";
import type { Verdict } from "../../verdict.ts";
import { COUNTERS } from "../../window/window.ts";
import { cacheCollision, duplicateEffect, stickyViolation, toolLoop, writeLoss } from "./events.ts";
import type { Block, Reading, StageView } from "../block.ts";
import { foldEvidence, foldReading, isHarmProven, judgeTraffic, startEvidence } from "../engine.ts";
import { type GateSetting, maySkip } from "../setting.ts";

const at = (percent: number, heldMs = 0): StageView => ({
  kind: "traffic",
  candidateBp: bp(percent * 100),
  heldMs,
  holdMs: 0,
});

function judge(setting: GateSetting, blocks: readonly Block[], percent = 10): Verdict | undefined {
  const settings = [setting];
  const evidence = blocks.reduce((all, block) => foldEvidence(all, block, settings), startEvidence(settings));
  const [verdict] = judgeTraffic(evidence, at(percent), settings);
  expect(isHarmProven(evidence, at(percent), settings)).toBe(verdict?.kind === "fail");
  return verdict;
}

const aSetting = (gate: string, options: object): GateSetting => ({ gate, options: { ...options }, source: "test" });

const EVENTS = [duplicateEffect, writeLoss, stickyViolation, cacheCollision, toolLoop].map(({ name, from }) => ({
  gate: name,
  counter: COUNTERS.find((counter) => from === `\`${counter}\``) ?? "none",
}));

describe("event gates", () => {
  const setting = (gate: string, onNoData = "hold") => aSetting(gate, { max: 0, onNoData });

  it.each(EVENTS)("$gate stops at the first event, and passes only where it is watched", ({ gate, counter }) => {
    const watched = (count: number) => aBlock(10, {}, { requests: 10, counters: { [counter]: count } });
    expect(judge(setting(gate), [watched(0), watched(0)])?.kind).toBe("pass");
    expect(judge(setting(gate), [watched(0), watched(1), watched(0)])?.kind).toBe("fail");
    expect(judge(setting(gate), [aBlock(10, {}, { requests: 10 })])?.kind).toBe("no-data");
  });

  it("say how many were seen on either arm, among which requests, and where nobody watches", () => {
    const both = aBlock(
      10,
      { requests: 90, counters: { lostWrites: 2 } },
      { requests: 10, counters: { lostWrites: 1 } },
    );
    expect(judge(aSetting("write-loss", { max: 2, onNoData: "hold" }), [both, both])).toMatchObject({
      kind: "pass",
      estimate: 2,
      samples: { stable: 180, candidate: 20 },
      reason: "2 accepted writes lost on the candidate, 4 on stable (at most 2)",
    });
    const alone = aBlock(10, { requests: 90 }, { requests: 10, counters: { lostWrites: 0 } });
    expect(judge(setting("write-loss"), [alone])?.reason).toContain("unwatched on stable");
  });

  it("say nothing while unwatched where the document asks them to skip", () => {
    const skipping = setting("tool-loop", "skip");
    expect(maySkip(skipping)).toBe(true);
    expect(judge(skipping, [aBlock(10, {}, { requests: 10 })])).toBeUndefined();
  });
});

describe("five-xx-burst", () => {
  const setting = aSetting("five-xx-burst", { limit: 0.05, longestMs: 60_000 });
  const second = (failures: number, endS: number) =>
    aBlock(10, {}, { requests: 20, failures, classes: failures === 0 ? {} : { "headers|5xx|502": failures } }, endS);
  const seconds = (from: number, to: number, failures: number) =>
    Array.from({ length: to - from }, (_, index) => second(failures, from + index + 1));

  it("GQ-23: forgives 50 s of 5xx answers and stops 70 s of them", () => {
    expect(judge(setting, [...seconds(0, 10, 0), ...seconds(10, 60, 10), ...seconds(60, 80, 0)])?.kind).toBe("pass");
    expect(judge(setting, [...seconds(0, 10, 0), ...seconds(10, 80, 10)])).toMatchObject({ kind: "fail" });
  });

  it("does not add two bursts with a good minute between them", () => {
    const twice = [...seconds(0, 40, 10), ...seconds(40, 100, 0), ...seconds(100, 140, 10), ...seconds(140, 150, 0)];
    expect(judge(setting, twice)?.kind).toBe("pass");
  });

  it("holds while a burst is going on", () => {
    expect(judge(setting, seconds(0, 30, 10))?.kind).toBe("inconclusive");
  });
});

describe("queue-age-slope", () => {
  const options = { mode: "sequential", promote: 5, windowMs: 60_000, windows: 3, onNoData: "hold" };
  const ages = (minutes: number, slopeMsPerS: number, seed = 1, noise = 40) => {
    const random = randomStream(seed);
    return Array.from({ length: minutes * 60 }, (_, index) => {
      const sum = 2_000 + slopeMsPerS * index + noise * (random() - 0.5);
      return aBlock(25, {}, { gauges: { queueAgeP95Ms: { sum, readings: 1 } } }, index + 1);
    });
  };

  it("GQ-28, QJ-10: stops a queue that ages 20 ms a second for three minutes, and passes a flat one", () => {
    expect(judge(aSetting("queue-age-slope", options), ages(4, 20), 25)?.kind).toBe("fail");
    expect(judge(aSetting("queue-age-slope", options), ages(4, 0), 25)?.kind).toBe("pass");
    expect(judge(aSetting("queue-age-slope", options), ages(4, -20), 25)?.kind).toBe("pass");
  });

  it("never stops flat noise in 200 queues of 10 minutes", () => {
    const stopped = Array.from({ length: 200 }, (_, seed) =>
      judge(aSetting("queue-age-slope", options), ages(10, 0, seed, 400), 25),
    );
    expect(stopped.filter((verdict) => verdict?.kind === "fail")).toHaveLength(0);
  });

  it("is no data without ages, and before a window is full", () => {
    expect(judge(aSetting("queue-age-slope", options), [aBlock(25, {}, { requests: 5 })], 25)?.kind).toBe("no-data");
    expect(judge(aSetting("queue-age-slope", options), ages(0.5, 50), 25)?.kind).toBe("no-data");
  });
});

describe("sample-ratio", () => {
  const setting = aSetting("sample-ratio", { alpha: 0.001 });
  const drawn = (percent: number, stable: number, candidate: number, source = "gw-1"): Block => ({
    ...aBlock(percent, { requests: stable, newUnits: stable }, { requests: candidate, newUnits: candidate }),
    source,
  });

  it("RT-1: calls 700 of 10 000 users at 5 % a mismatch, as an error that neither promotes nor rolls back", () => {
    expect(judge(setting, [drawn(5, 9_300, 700)], 5)?.kind).toBe("error");
    expect(judge(setting, [drawn(5, 9_500, 500)], 5)?.kind).toBe("pass");
  });

  it("is no data before a user was drawn", () => {
    expect(judge(setting, [aBlock(5, { requests: 10 }, { requests: 1 })], 5)?.kind).toBe("no-data");
  });

  it("does not count a user twice whom two gateways saw", () => {
    const once = drawn(5, 9_430, 570);
    const seenByTen = Array.from({ length: 10 }, (_, index) => ({ ...once, source: `gw-${index}` }));
    expect(judge(setting, [once], 5)?.kind).toBe("pass");
    expect(judge(setting, seenByTen, 5)?.kind).toBe("pass");
    expect(judge(setting, [drawn(5, 94_300, 5_700)], 5)?.kind).toBe("error");
  });

  it("promises 0.1 %: 0 of 300 right splits over three shares are called wrong, looked at every 100 users", () => {
    let wrong = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomStream(seed);
      let evidence = startEvidence([setting]);
      let isWrong = false;
      for (const percent of [1, 10, 50]) {
        for (let look = 0; look < 30; look++) {
          let candidate = 0;
          for (let unit = 0; unit < 100; unit++) if (random() < percent / 100) candidate++;
          evidence = foldEvidence(evidence, drawn(percent, 100 - candidate, candidate), [setting]);
          isWrong ||= judgeTraffic(evidence, at(percent), [setting])[0]?.kind === "error";
        }
      }
      if (isWrong) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(1);
  });
});

describe("peak-hour", () => {
  const setting = (requestsPerSecond: number | null) =>
    aSetting("peak-hour", { requestsPerSecond, lengthMs: 3_600_000 });
  const minutes = (count: number, perMinute: number, from = 0) =>
    Array.from({ length: count }, (_, index) =>
      aBlock(50, { requests: perMinute / 2 }, { requests: perMinute / 2 }, (from + index) * 60 + 30),
    );

  it("ST-8: passes after 60 consecutive minutes at the peak rate, and not after an hour off the peak", () => {
    expect(judge(setting(10), minutes(62, 600), 50)?.kind).toBe("pass");
    expect(judge(setting(10), minutes(50, 600), 50)?.kind).toBe("inconclusive");
    expect(judge(setting(10), minutes(300, 590), 50)?.kind).toBe("inconclusive");
  });

  it("does not add two half hours with a quiet one between them", () => {
    const halves = [...minutes(40, 600), ...minutes(60, 100, 40), ...minutes(40, 600, 100)];
    expect(judge(setting(10), halves, 50)?.kind).toBe("inconclusive");
  });

  it("is no data where nobody said what a peak is", () => {
    expect(judge(setting(null), minutes(62, 600), 50)?.kind).toBe("no-data");
  });
});

describe("metric gates", () => {
  const options = {
    metric: "queue",
    comparison: "absolute",
    better: "lower",
    promote: 10,
    stop: 20,
    failures: 3,
    passes: 2,
  };
  const value = (number: number) => ({ kind: "value", value: number }) as const;
  const judgeReadings = (readings: readonly (Partial<Reading> | number)[], over: object = {}): Verdict | undefined => {
    const settings = [{ ...aSetting("metric", { ...options, ...over }), instance: "queue" }];
    const evidence = readings.reduce<ReturnType<typeof startEvidence>>((all, one, index) => {
      const reading = typeof one === "number" ? { candidate: value(one) } : one;
      const whole = { metric: "queue", atMs: after(index * 1_000), candidate: value(0), stable: null, ...reading };
      return foldReading(all, whole, settings);
    }, startEvidence(settings));
    return judgeTraffic(evidence, at(10), settings)[0];
  };

  it("need 2 readings in a row within the limit to pass and 3 in a row beyond it to stop", () => {
    expect(judgeReadings([5])?.kind).toBe("inconclusive");
    expect(judgeReadings([5, 5])?.kind).toBe("pass");
    expect(judgeReadings([5, 5, 15])?.kind).toBe("inconclusive");
    expect(judgeReadings([25, 25, 15, 25, 25])?.kind).toBe("inconclusive");
    expect(judgeReadings([25, 25, 25])?.kind).toBe("fail");
  });

  it.each([
    ["nothing read", [], "no-data"],
    ["an empty series", [5, 5, { candidate: { kind: "no-data", reason: "no series" } }], "no-data"],
    ["two series", [5, 5, { candidate: { kind: "error", reason: "2 series" } }], "error"],
    ["NaN that slipped through", [5, 5, Number.NaN], "error"],
    ["infinity", [25, 25, Number.POSITIVE_INFINITY], "error"],
  ] as const)("never pass and never stop on %s", (_, readings, kind) => {
    expect(judgeReadings(readings)?.kind).toBe(kind);
  });

  it("never pass or stop on a metric that is missing for good", () => {
    const missing = { candidate: { kind: "no-data", reason: "no series" } } as const;
    expect(judgeReadings(Array(100).fill(missing))?.kind).toBe("no-data");
  });

  it("compare with stable as a ratio, and have none to a stable of 0", () => {
    const ratio = { comparison: "ratio", promote: 1.2, stop: 2 };
    const both = (candidate: number, stable: number) => ({ candidate: value(candidate), stable: value(stable) });
    expect(judgeReadings([both(11, 10), both(12, 10)], ratio)?.kind).toBe("pass");
    expect(judgeReadings([both(21, 10), both(21, 10), both(21, 10)], ratio)?.kind).toBe("fail");
    expect(judgeReadings([both(0, 0), both(0, 0)], ratio)?.kind).toBe("pass");
    expect(judgeReadings([both(1, 0), both(1, 0)], ratio)?.kind).toBe("error");
  });

  it("know where higher is better", () => {
    const higher = { better: "higher", promote: 10, stop: 5 };
    expect(judgeReadings([12, 12], higher)?.kind).toBe("pass");
    expect(judgeReadings([4, 4, 4], higher)?.kind).toBe("fail");
  });
});
