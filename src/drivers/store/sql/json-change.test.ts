import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changeBetween, changed } from "./json-change.ts";

/** What a store would hold of a value. */
const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("a change between two values as JSON", () => {
  const cases: readonly (readonly [name: string, before: unknown, after: unknown, change: unknown])[] = [
    ["nothing where nothing differs", { a: 1, b: [1] }, { a: 1, b: [1] }, null],
    ["only the member that differs", { a: 1, b: { c: 2, d: 3 } }, { a: 1, b: { c: 2, d: 4 } }, { b: { d: [4] } }],
    ["only the value that differs", { a: [1, 2, 3] }, { a: [1, 5, 3] }, { a: [1, 1, [5]] }],
    ["values that were put in, and one that left", [1, 2, 3, 4, 5, 6], [1, 9, 2, 3, 4, 6], [1, 0, [9], 3, 1, []]],
    ["only the element that differs", [{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 3 }], { 1: { a: [3] } }],
    ["elements that were added", [1], [1, 2, { a: 3 }], { 1: [2], 2: [{ a: 3 }] }],
    ["members that were added at the end", { a: 1 }, { a: 1, b: {} }, { b: [{}] }],
    ["a new object where a member left", { x: { a: 1, b: 2 } }, { x: { a: 1 } }, { x: [{ a: 1 }] }],
    [
      "a new object where members changed places",
      { x: { a: 1, b: 2 } },
      { x: { b: 2, a: 1 } },
      { x: [{ b: 2, a: 1 }] },
    ],
    ["a new object where a member came first", { x: { b: 2 } }, { x: { a: 1, b: 2 } }, { x: [{ a: 1, b: 2 }] }],
    ["a new list where one of objects became shorter", { x: [{}, {}] }, { x: [{}] }, { x: [[{}]] }],
    ["a new value where an object became a list", { x: {} }, { x: [] }, { x: [[]] }],
    ["a new value where there was none", { x: null }, { x: { a: 1 } }, { x: [{ a: 1 }] }],
    ["nothing for a member that JSON leaves out", { a: 1 }, { a: 1, b: undefined }, null],
  ];
  it.each(cases)("tells %s", (_, before, after, change) => {
    expect(changeBetween(before, after)).toEqual(change);
    expect(JSON.stringify(change === null ? before : changed(stored(before), stored(change) as never))).toBe(
      JSON.stringify(after),
    );
  });

  it("does not look into what both share", () => {
    const shared = Object.defineProperty({}, "odd", { enumerable: true, get: () => expect.fail("looked into") });
    expect(changeBetween({ shared, n: 1 }, { shared, n: 2 })).toEqual({ n: [2] });
  });

  it("tells a window's counts in a sketch with few words, wherever its bins lie", () => {
    const bins = Array.from({ length: 200 }, (_, bin) => [3 * bin, 7]);
    const next = bins.flatMap(([bin = 0, count = 0]) => {
      const counted = bin % 30 === 0 ? [bin, count + 1] : [bin, count];
      return bin % 45 === 0 ? [...counted, bin + 1, 1] : counted;
    });
    const change = changeBetween({ bins: bins.flat() }, { bins: next });
    expect(changed({ bins: bins.flat() }, change as never)).toEqual({ bins: next });
    expect(JSON.stringify(change).length).toBeLessThan(JSON.stringify({ bins: next }).length / 3);
  });

  it("makes every value of every other one, byte by byte and over JSON", () => {
    const name = fc.constantFrom("a", "b", "1", "__proto__", "toString");
    const { value } = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.double(), fc.constantFrom(null, true, "", undefined), fc.integer()),
      list: fc.oneof(fc.array(tie("value"), { maxLength: 4 }), fc.array(fc.nat(3), { maxLength: 40 })),
      members: fc.array(fc.tuple(name, tie("value")), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
      value: fc.oneof({ maxDepth: 3 }, tie("leaf"), tie("list"), tie("members")),
    }));
    fc.assert(
      fc.property(value, value, (x, y) => {
        const [before, after] = [{ of: x }, { of: y }];
        const change = changeBetween(before, after) ?? {};
        const made = changed(stored(before), stored(change) as typeof change);
        expect(JSON.stringify(made)).toBe(JSON.stringify(after));
      }),
      { numRuns: 2_000 },
    );
  });
});
