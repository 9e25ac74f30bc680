import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readShape } from "./shape.ts";

const schema = z.strictObject({
  name: z.string(),
  note: z.string().optional(),
  body: z.record(z.string(), z.json()).optional(),
  steps: z
    .array(
      z.union([
        z.strictObject({ weight: z.number(), hold: z.string().optional() }),
        z.strictObject({ probes: z.literal(true), tier: z.string().optional() }),
      ]),
    )
    .optional(),
});

describe("readShape", () => {
  it("takes null of an optional member for its absence, in lists and unions too", () => {
    const value = {
      name: "a",
      note: null,
      steps: [
        { weight: 1, hold: null },
        { probes: true, tier: null },
      ],
    };
    expect(readShape(schema, value)).toEqual({ value: { name: "a", steps: [{ weight: 1 }, { probes: true }] } });
    expect(readShape(schema, { name: "a", steps: null })).toEqual({ value: { name: "a" } });
  });

  it("keeps a null that the schema takes, while another one is dropped", () => {
    const value = { name: "a", note: null, body: { seed: null } };
    expect(readShape(schema, value)).toEqual({ value: { name: "a", body: { seed: null } } });
  });

  it.each([
    ["a needed member", { name: null }, "invalid_type"],
    ["an unknown member", { name: "a", other: null }, "unrecognized_keys"],
    ["an element of a list", { name: "a", steps: [null] }, "invalid_union"],
  ])("refuses null of %s", (_, value, code) => {
    const read = readShape(schema, value);
    expect("issues" in read && read.issues.map((issue) => issue.code)).toContain(code);
  });
});
