import { describe, expect, it } from "vitest";
import { dropSections, swapIds } from "./corpus-faults.ts";
import { FAULTS, parseFaults } from "./faults.ts";
import { COLD_REQUESTS, type RequestDraw, requestDraws } from "./request-draw.ts";

describe("parseFaults", () => {
  it("takes the level from the argument or from the table", () => {
    expect([...parseFaults(["errors", "slow=2.5", "wrong-metric"])]).toEqual([
      ["errors", 0.05],
      ["slow", 2.5],
      ["wrong-metric", 1],
    ]);
  });

  it("suggests the nearest name and lists all when a name is unknown", () => {
    expect(() => parseFaults(["droped-sections=0.5"])).toThrow(
      /unknown fault "droped-sections"; did you mean "dropped-sections"\?/,
    );
    for (const { name } of FAULTS) expect(() => parseFaults(["nonsense!"])).toThrow(name);
    expect(() => parseFaults(["nonsense!"])).not.toThrow(/did you mean/);
  });

  it("refuses a level out of range, no number, where none is taken, or given twice", () => {
    expect(() => parseFaults(["errors=1.5"])).toThrow(/level "1\.5"; expected a number 0\.\.1/);
    for (const argument of ["errors=", "errors=x", "errors=NaN", "tiny-chunks=2.5", "slow=0.5", "slow=1=2"]) {
      expect(() => parseFaults([argument]), argument).toThrow(/expected a number/);
    }
    expect(() => parseFaults(["swapped-ids=0.5"])).toThrow(/takes no level/);
    expect(() => parseFaults(["errors", "errors=0.1"])).toThrow(/given twice/);
  });
});

const sections = ["a", "b", "c"].flatMap((doc, place) => {
  return Array.from({ length: 10 + place * 10 }, (_, i) => ({ doc, section: `${doc}#${i}`, text: "text" }));
});

describe("dropSections", () => {
  it("drops 0.3 of the sections of the two largest topics and nothing else", () => {
    const kept = dropSections(sections, 0.3, 7);
    const count = (doc: string) => kept.filter((section) => section.doc === doc).length;
    expect([count("a"), count("b"), count("c")]).toEqual([10, 14, 21]);
  });

  it("drops the same sections for the same seed and others for another", () => {
    const dropped = (seed: number) => dropSections(sections, 0.3, seed);
    expect(dropped(7)).toEqual(dropped(7));
    expect(dropped(8)).not.toEqual(dropped(7));
  });

  it("takes the folder of a document as its topic where there is one", () => {
    const nested = sections.map(({ doc, section, text }) => ({ doc: doc === "a" ? doc : `big/${doc}`, section, text }));
    const kept = dropSections(nested, 0.5, 7);
    expect(kept.filter(({ doc }) => doc === "a")).toHaveLength(5);
    expect(kept.filter(({ doc }) => doc.startsWith("big/"))).toHaveLength(25);
  });

  it("drops nothing at 0", () => {
    expect(dropSections(sections, 0, 7)).toEqual(sections);
  });
});

describe("swapIds", () => {
  it("gives every section the identity of another, each once", () => {
    const swapped = swapIds(sections, 7);
    expect(new Set([...swapped.values()].map(({ section }) => section))).toEqual(
      new Set(sections.map(({ section }) => section)),
    );
    for (const [from, to] of swapped) expect(to.section).not.toBe(from);
  });
});

describe("requestDraws", () => {
  const drawn = (count: number, faults: readonly string[] = [], seed = 7): readonly RequestDraw[] => {
    const next = requestDraws(seed, parseFaults(faults), { medianMs: 60, sigma: 0.4 });
    return Array.from({ length: count }, next);
  };
  const median = (draws: readonly RequestDraw[]): number => {
    return draws.map(({ modelMs }) => modelMs).toSorted((left, right) => left - right)[draws.length >> 1]!;
  };
  const share = (draws: readonly RequestDraw[], is: (draw: RequestDraw) => boolean): number =>
    draws.filter(is).length / draws.length;

  it("draws a model time with median 60 ms and the lognormal's p95 of 116 ms once warm", () => {
    const warm = drawn(20_020).slice(COLD_REQUESTS);
    expect(median(warm)).toBeGreaterThan(58.5);
    expect(median(warm)).toBeLessThan(61.5);
    const p95 = warm.map(({ modelMs }) => modelMs).toSorted((left, right) => left - right)[
      Math.floor(0.95 * warm.length)
    ]!;
    expect(p95 / (60 * Math.exp(0.4 * 1.645))).toBeCloseTo(1, 1);
  });

  it("marks the first 20 requests cold and makes them 1.5 times as slow", () => {
    const draws = drawn(30);
    expect(draws.map(({ isColdStart }) => isColdStart)).toEqual([...Array(20).fill(true), ...Array(10).fill(false)]);
    const slowed = drawn(30, ["cold-start=0"]);
    expect(slowed).toEqual(draws);
  });

  it("multiplies every model time by the level of slow, and moves nothing else", () => {
    const [plain, slow] = [drawn(100), drawn(100, ["slow=2"])];
    for (const [place, draw] of plain.entries()) expect(slow[place]).toEqual({ ...draw, modelMs: draw.modelMs * 2 });
  });

  it("hits the named share of requests", () => {
    const faults = ["errors=0.05", "new-error-class=0.01", "schema-break=0.2", "cold-start=0.15"];
    const draws = drawn(20_020, faults).slice(COLD_REQUESTS);
    const hits: readonly (readonly [level: number, is: (draw: RequestDraw) => boolean])[] = [
      [0.05, ({ failure }) => failure === "unavailable"],
      [0.01 * 0.95, ({ failure }) => failure === "cut"], // An unavailable model has no body to cut.
      [0.2, ({ breaksSchema }) => breaksSchema],
      [0.15, ({ isColdStart }) => isColdStart],
    ];
    for (const [level, is] of hits) {
      const deviation = Math.sqrt((level * (1 - level)) / draws.length);
      expect(Math.abs(share(draws, is) - level)).toBeLessThan(4 * deviation);
    }
  });

  it("repeats exactly for one seed and differs for another", () => {
    expect(drawn(50, ["errors"])).toEqual(drawn(50, ["errors"]));
    expect(drawn(50, ["errors"], 8)).not.toEqual(drawn(50, ["errors"]));
  });

  it("plants nothing without faults", () => {
    const draws = drawn(2_000).slice(COLD_REQUESTS);
    expect(
      draws.some(({ failure, breaksSchema, isColdStart }) => failure !== null || breaksSchema || isColdStart),
    ).toBe(false);
  });
});
