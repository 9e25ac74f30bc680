import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeReader } from "../routing/shape.ts";
import { readShadowWindow } from "./admit-shadow.ts";
import { ShadowLog } from "./shadow-log.ts";
import { EMPTY_SHADOW, mergeShadow, SHADOW_LEFT, type ShadowWindow } from "./shadow-window.ts";
import { countBins } from "./sketch.ts";
import { WINDOW_LIMITS } from "./window.ts";

const CLASSES = [null, null, "headers|5xx|503", "body|network|ECONNRESET"] as const;
const pairOf = fc.record({
  key: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  hasStableFailed: fc.boolean(),
  errorClass: fc.constantFrom(...CLASSES),
  isOtherStatus: fc.boolean(),
  ms: fc.option(fc.record({ stable: fc.double({ min: 0, max: 1e5 }), candidate: fc.double({ min: 0, max: 1e5 }) })),
});

function logged(pairs: readonly Parameters<ShadowLog["pair"]>[0][], left: readonly (typeof SHADOW_LEFT)[number][]) {
  const log = new ShadowLog();
  for (const pair of pairs) {
    log.choose();
    log.pair(pair);
  }
  for (const why of left) log.leave(why);
  return log.drain();
}

function problemsOf(window: unknown): readonly string[] {
  const shape = new ShapeReader("E402");
  const read = readShadowWindow(shape, JSON.parse(JSON.stringify(window)), "shadow");
  if (shape.problems.length === 0) expect(read).toEqual(window);
  return shape.problems.map(({ path }) => path);
}

describe("a window of pairs", () => {
  it("is admitted as it was logged, whatever came, and so is the sum of two", () => {
    fc.assert(
      fc.property(
        fc.array(pairOf),
        fc.array(fc.constantFrom(...SHADOW_LEFT)),
        fc.array(pairOf),
        (pairs, left, more) => {
          const [one, two] = [logged(pairs, left) ?? EMPTY_SHADOW, logged(more, []) ?? EMPTY_SHADOW];
          expect(problemsOf(one)).toEqual([]);
          expect(problemsOf(mergeShadow(one, two))).toEqual([]);
          expect(mergeShadow(one, two)).toEqual(mergeShadow(two, one));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("counts failures of more classes than fit under the stage's other", () => {
    const pairs = Array.from({ length: 300 }, (_, key) => ({
      key,
      hasStableFailed: false,
      errorClass: `headers|other|c${key}`,
      isOtherStatus: false,
      ms: null,
    }));
    const window = logged(pairs, []);
    expect(Object.keys(window?.classes ?? {}).length).toBeLessThanOrEqual(WINDOW_LIMITS.classes);
    expect(problemsOf(window)).toEqual([]);
  });

  it("compares no time of an answer with another status: a refusal is fast", () => {
    const pair = {
      key: 1,
      hasStableFailed: false,
      errorClass: null,
      isOtherStatus: true,
      ms: { stable: 9, candidate: 1 },
    };
    const window = logged([pair], []);
    expect(window).toMatchObject({ otherStatus: 1, warm: { stable: [], candidate: [] } });
  });

  it("is empty after it was drained, and nothing at all where nothing came", () => {
    const log = new ShadowLog();
    expect(log.drain()).toBeNull();
    log.pair({
      key: 1,
      hasStableFailed: false,
      errorClass: null,
      isOtherStatus: false,
      ms: { stable: 1, candidate: 2 },
    });
    expect(countBins(log.drain()?.warm.candidate ?? [])).toBe(1);
    expect(log.drain()).toBeNull();
  });

  const good: ShadowWindow = {
    ...EMPTY_SHADOW,
    pairs: { bothOk: 2, stableFailed: 1, candidateFailed: 1, bothFailed: 1 },
  };
  it.each<readonly [string, object]>([
    ["shadow.classes", {}],
    ["shadow.classes", { classes: { "headers|5xx|500": 1 } }],
    [
      "shadow.first.candidateFailed",
      { classes: { "headers|5xx|500": 2 }, first: { stableFailed: 0, candidateFailed: 2 } },
    ],
    [
      "shadow.first.stableFailed",
      { classes: { "headers|5xx|500": 2 }, first: { stableFailed: 2, candidateFailed: 0 } },
    ],
    ["shadow.otherStatus", { classes: { "headers|5xx|500": 2 }, otherStatus: 3 }],
    ["shadow.warm", { classes: { "headers|5xx|500": 2 }, warm: { stable: [1, 1], candidate: [] } }],
    ["shadow.warm.candidate", { classes: { "headers|5xx|500": 2 }, warm: { stable: [1, 3], candidate: [1, 3] } }],
    ["shadow.left", { left: { busy: 0 } }],
    ["shadow.pairs.bothOk", { pairs: { ...good.pairs, bothOk: -1 } }],
    ["shadow.more", { more: 1 }],
  ])("is refused at %s for %j", (path, over) => {
    expect(problemsOf({ ...good, ...over })[0]).toContain(path);
  });
});
