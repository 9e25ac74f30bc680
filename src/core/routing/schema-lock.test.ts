import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDocument } from "../../../test/documents.ts";
import type { ServingArm } from "../arm.ts";
import { bp } from "../unit.ts";
import { admit } from "./admit.ts";
import { compileRouteTable, type Pin, route } from "./route.ts";
import { chooseBySchema, type LockedArm, type Pins, pinDifferences, pinProblem, type Serves } from "./schema-lock.ts";
import { schemaProblem } from "./schema-lock-problem.ts";

const BLUE: Serves = { schemaRev: { min: "sc-10", max: "sc-12" }, indexHash: ["9a77"], modelTag: ["m@1#aa"] };
const GREEN: Serves = { schemaRev: { min: "sc-12", max: "sc-14" }, indexHash: ["41cc"], modelTag: null };
const NOTHING: Serves = { schemaRev: null, indexHash: null, modelTag: null };
const stable: LockedArm = { arm: "stable", serves: BLUE };
const candidate: LockedArm = { arm: "candidate", serves: GREEN };
const { arms } = aDocument();
const lockedArms = {
  stable: { ...arms.stable, serves: BLUE },
  candidate: { ...arms.candidate!, serves: { ...GREEN, indexHash: ["9a77", "41cc"] } },
};

describe("pinProblem", () => {
  it.each([
    ["schemaRev", "sc-10", null],
    ["schemaRev", "sc-12", null],
    ["schemaRev", "sc-13", "schema-behind"],
    ["schemaRev", "sc-100", "schema-behind"],
    ["schemaRev", "sc-9", "schema-unsupported"],
    ["schemaRev", "sc-0", "schema-unsupported"],
    ["schemaRev", undefined, "pin-missing"],
    ["schemaRev", null, "pin-missing"],
    ["schemaRev", "", "pin-malformed"],
    ["schemaRev", "12", "pin-malformed"],
    ["schemaRev", "sc-012", "pin-malformed"],
    ["schemaRev", "SC-12", "pin-malformed"],
    ["schemaRev", "sc-12, sc-12", "pin-malformed"],
    ["schemaRev", "sc--1", "pin-malformed"],
    ["schemaRev", "sc-1.5", "pin-malformed"],
    ["schemaRev", "sc-1234567890123456", "pin-malformed"],
    ["schemaRev", 12, "pin-malformed"],
    ["schemaRev", { min: "sc-10" }, "pin-malformed"],
    ["indexHash", "9a77", null],
    ["indexHash", "9A77", "index-mismatch"],
    ["indexHash", "9a7", "index-mismatch"],
    ["indexHash", "9a77, 9a77", "pin-malformed"],
    ["indexHash", "a".repeat(257), "pin-malformed"],
    ["indexHash", ["9a77"], "pin-malformed"],
    ["modelTag", "m@1#aa", null],
    ["modelTag", "m@1#ab", "model-mismatch"],
    ["modelTag", "m\u00e9", "pin-malformed"],
  ] as const)("SL-2: a service of sc-10 to sc-12, 9a77 and m@1#aa says to %s %j: %s", (name, wanted, problem) => {
    expect(pinProblem(name, wanted, BLUE)).toBe(problem);
    expect(pinProblem(name, wanted, NOTHING)).toBe(null);
  });
});

describe("pinDifferences", () => {
  it("SL-1: lists every pin that is missing, or none of them where that is allowed", () => {
    const missing = pinDifferences({}, BLUE, false);
    expect(missing.map(({ field, problem, wanted }) => [field, problem, wanted])).toEqual([
      ["schemaRev", "pin-missing", null],
      ["indexHash", "pin-missing", null],
      ["modelTag", "pin-missing", null],
    ]);
    expect(pinDifferences({}, BLUE, true)).toEqual([]);
    expect(pinDifferences({}, NOTHING, false)).toEqual([]);
  });

  it("says what was wanted and what is served, and keeps at most 256 characters of a wish", () => {
    const pins = { schemaRev: "sc-14", indexHash: "x".repeat(5_000), modelTag: 7 as unknown as string };
    expect(pinDifferences(pins, BLUE, false)).toEqual([
      { field: "schemaRev", problem: "schema-behind", wanted: "sc-14", serves: { min: "sc-10", max: "sc-12" } },
      { field: "indexHash", problem: "pin-malformed", wanted: "x".repeat(256), serves: ["9a77"] },
      { field: "modelTag", problem: "pin-malformed", wanted: "a value of type number", serves: ["m@1#aa"] },
    ]);
  });
});

describe("chooseBySchema", () => {
  it.each([
    ["sc-9", "refused"],
    ["sc-10", "stable"],
    ["sc-11", "stable"],
    ["sc-12", "any"],
    ["sc-13", "candidate"],
    ["sc-14", "candidate"],
    ["sc-15", "refused"],
    ["sc-14x", "refused"],
  ])("SL-3: of stable sc-10..12 and candidate sc-12..14 %s goes to %s", (schemaRev, expected) => {
    const choice = chooseBySchema({ schemaRev }, [stable, candidate]);
    expect(choice === null ? "any" : (choice.arm ?? "refused")).toBe(expected);
  });

  it("SL-2: a refusal says for each open arm what separates it from the pins", () => {
    const choice = chooseBySchema({ schemaRev: "sc-13", indexHash: "9a77" }, [stable, candidate]);
    expect(choice).toEqual({
      kind: "refused",
      arm: null,
      differences: [
        {
          arm: "stable",
          field: "schemaRev",
          problem: "schema-behind",
          wanted: "sc-13",
          serves: { min: "sc-10", max: "sc-12" },
        },
        { arm: "candidate", field: "indexHash", problem: "index-mismatch", wanted: "9a77", serves: ["41cc"] },
      ],
    });
  });

  it("an arm that declares nothing refuses nothing", () => {
    expect(chooseBySchema({ schemaRev: "sc-99" }, [{ arm: "stable" }, candidate])?.arm).toBe("stable");
    expect(chooseBySchema({ schemaRev: "sc-99" }, [{ arm: "stable" }])).toBe(null);
  });
});

const aRevision = fc.integer({ min: 8, max: 16 });
const aHash = fc.constantFrom("h1", "h2", "h3");
const hashes = fc.option(fc.uniqueArray(aHash, { minLength: 1 }), { nil: null });
const aServes = fc.record<Serves>({
  schemaRev: fc.option(
    fc.tuple(aRevision, aRevision).map(([a, b]) => ({ min: `sc-${Math.min(a, b)}`, max: `sc-${Math.max(a, b)}` })),
    { nil: null },
  ),
  indexHash: hashes,
  modelTag: hashes,
});
const somePins = fc.record<Pins>({
  schemaRev: fc.option(
    aRevision.map((number) => `sc-${number}`),
    { nil: null },
  ),
  indexHash: fc.option(aHash, { nil: null }),
  modelTag: fc.option(aHash, { nil: null }),
});
const aRequest = fc.record({
  unit: fc.option(fc.constantFrom("tester", "user-1", "user-2", "user-3"), { nil: null }),
  pin: fc.option(fc.constantFrom<Pin>({ arm: "stable", purpose: "qa" }, { arm: "candidate", purpose: "probe" }), {
    nil: null,
  }),
  wish: fc.option(fc.constantFrom<ServingArm>("stable", "candidate"), { nil: null }),
});
const anArmServes = fc.option(aServes, { nil: undefined });
const aState = fc.constantFrom<readonly [closed: readonly ServingArm[], candidateBp: number | null]>(
  [[], null],
  [["candidate"], 0],
  [["stable"], 10_000],
);

/** The rule in other words, on numbers, so that it cannot share a mistake with the code. */
function isServed(pins: Pins, serves: Serves | undefined): boolean {
  if (serves === undefined) return true;
  const revisions = serves.schemaRev === null ? null : [serves.schemaRev.min, serves.schemaRev.max];
  const [min, max] = (revisions ?? ["sc-0", "sc-999"]).map((text) => Number(text.replace("sc-", "")));
  const wanted = pins.schemaRev == null ? min : Number(pins.schemaRev.replace("sc-", ""));
  const has = (list: readonly string[] | null, value: string | null | undefined) =>
    list === null || value == null || list.some((one) => one === value);
  return (
    wanted! >= min! && wanted! <= max! && has(serves.indexHash, pins.indexHash) && has(serves.modelTag, pins.modelTag)
  );
}

function aLockedDocument(ofStable: Serves | undefined, ofCandidate: Serves | undefined, parts: object) {
  return aDocument({
    arms: {
      stable: { ...arms.stable, ...(ofStable === undefined ? {} : { serves: ofStable }) },
      candidate: { ...arms.candidate!, ...(ofCandidate === undefined ? {} : { serves: ofCandidate }) },
    },
    allow: ["tester"],
    ...parts,
  });
}

describe("route with a schema lock", () => {
  it("RT-18, SL-3: 20 000 requests: the chosen arm serves the pins and is open, and a refusal is true of every open arm", () => {
    const counts = { lock: 0, refused: 0, other: 0 };
    const inputs = [anArmServes, anArmServes, aState, fc.integer({ min: 0, max: 10_000 }), aRequest, somePins] as const;
    fc.assert(
      fc.property(...inputs, (ofStable, ofCandidate, [closed, share], candidateBp, { unit, pin, wish }, pins) => {
        const document = aLockedDocument(ofStable, ofCandidate, { closed, candidateBp: bp(share ?? candidateBp) });
        expect(admit(document, null, 0).kind).toBe("adopt");
        const served = { stable: isServed(pins, ofStable), candidate: isServed(pins, ofCandidate) };
        const open = (["stable", "candidate"] as const).filter((arm) => !closed.includes(arm));
        const decision = route(compileRouteTable(document), unit, pin, wish, pins);
        if (decision.arm === null) {
          counts.refused++;
          expect(open.some((arm) => served[arm])).toBe(false);
          expect([...new Set(decision.differences.map(({ arm }) => arm))]).toEqual(open);
          return;
        }
        expect(closed).not.toContain(decision.arm);
        expect(served[decision.arm]).toBe(true);
        const isForced = open.length === 2 && served.stable !== served.candidate;
        expect(decision.reason === "schema-lock").toBe(isForced);
        counts[isForced ? "lock" : "other"]++;
      }),
      { numRuns: 20_000, seed: 18 },
    );
    expect(Math.min(counts.lock, counts.refused, counts.other)).toBeGreaterThan(1_000);
  });

  it("without pins, and without a declaration, nothing changes: 10 000 requests", () => {
    const inputs = [aServes, aServes, aState, fc.integer({ min: 0, max: 10_000 }), aRequest, somePins] as const;
    fc.assert(
      fc.property(...inputs, (ofStable, ofCandidate, [closed, share], candidateBp, { unit, pin, wish }, pins) => {
        const parts = { closed, candidateBp: bp(share ?? candidateBp) };
        const plain = compileRouteTable(aLockedDocument(undefined, undefined, parts));
        const locked = compileRouteTable(aLockedDocument(ofStable, ofCandidate, parts));
        const before = route(plain, unit, pin, wish);
        for (const none of [null, {}, { schemaRev: null }]) {
          expect(route(locked, unit, pin, wish, none)).toMatchObject({ arm: before.arm, reason: before.reason });
        }
        expect(route(plain, unit, pin, wish, pins)).toEqual(before);
      }),
      { numRuns: 10_000, seed: 19 },
    );
  });

  it.each([
    ["a pin token", null, { arm: "stable", purpose: "qa" } as const, null],
    ["the allow-list and x-exp", "tester", null, "stable" as const],
    ["weight 0", "user-1", null, null],
    ["no unit", null, null, null],
  ])("definitions §9: stands above %s", (_, unit, pin, wish) => {
    const table = compileRouteTable(aDocument({ arms: lockedArms, candidateBp: bp(0), allow: ["tester"] }));
    expect(route(table, unit, pin, wish, { schemaRev: "sc-12" }).arm).toBe("stable");
    expect(route(table, unit, pin, wish, { schemaRev: "sc-14" })).toMatchObject({
      arm: "candidate",
      reason: "schema-lock",
      target: lockedArms.candidate,
    });
  });

  it("I4: stands below a closed arm: what only that arm serves is refused, never sent there", () => {
    const table = compileRouteTable(aDocument({ arms: lockedArms, candidateBp: bp(0), closed: ["candidate"] }));
    expect(route(table, "user-1", null, null, { schemaRev: "sc-12" })).toMatchObject({ reason: "closed-arm" });
    const refused = route(table, "user-1", null, null, { schemaRev: "sc-14" });
    expect(refused).toMatchObject({ arm: null, differences: [{ arm: "stable", problem: "schema-behind" }] });
  });

  it("keeps a request that only one arm can serve out of the draw, also where the draw agrees", () => {
    const table = compileRouteTable(aDocument({ arms: lockedArms, candidateBp: bp(10_000) }));
    expect(route(table, "user-1", null, null, { schemaRev: "sc-12" }).arm).toBe("candidate");
    expect(route(table, "user-1", null, null, { schemaRev: "sc-12" })).toMatchObject({ reason: "sticky" });
    expect(route(table, "user-1", null, null, { schemaRev: "sc-14" })).toMatchObject({ reason: "schema-lock" });
  });
});

describe("schemaProblem", () => {
  it("names the first difference, and says where to send the request instead", () => {
    const problem = schemaProblem(pinDifferences({ schemaRev: "sc-14", indexHash: "41cc" }, BLUE, true));
    expect(problem).toMatchObject({
      type: "urn:sluice:problem:schema-behind",
      status: 409,
      detail: "Route the request to a revision that serves sc-14 and 41cc.",
      retry: { action: "route-to-match", pins: { schemaRev: "sc-14", indexHash: "41cc" } },
    });
  });

  it("puts a pin that nobody could serve first, whatever else differs", () => {
    const problem = schemaProblem(
      pinDifferences({ schemaRev: "sc-14", indexHash: "" }, BLUE, true),
      "no-matching-revision",
    );
    expect(problem).toMatchObject({
      type: "urn:sluice:problem:pin-malformed",
      status: 400,
      detail: expect.stringContaining("indexHash is missing or malformed"),
      retry: { action: "correct-pins" },
    });
  });
});
