import { describe, expect, it } from "vitest";
import { GATES } from "../../src/core/judge/gates.ts";
import { PRESETS } from "../../src/spec/preset/index.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

describe("sluice preset", () => {
  it("lists every preset with the page it comes from", async () => {
    const { code, stdout } = await sluiceInProcess("preset");
    expect(code).toBe(0);
    for (const { name, from } of Object.values(PRESETS))
      expect(stdout.split("\n").find((line) => line.startsWith(`${name} `))).toContain(`(${from})`);
    expect(stdout).toMatch(/^bg-ops .*\(page 001/m);
  });

  it.each(Object.values(PRESETS))(
    "prints every gate and number of $name, as text and as JSON",
    async ({ name, gates }) => {
      const [text, json] = [await sluiceInProcess("preset", name), await sluiceInProcess("preset", name, "--json")];
      for (const [gate, options] of Object.entries(gates)) {
        expect(text.stdout).toMatch(new RegExp(`^  ${gate}( at |$)`, "m"));
        for (const [option, value] of Object.entries(options))
          expect(text.stdout).toContain(`    ${option} = ${JSON.stringify(value)}`);
      }
      const answer = JSON.parse(json.stdout) as { gates: { gate: string; options: object }[] };
      expect(answer.gates.map(({ gate, options }) => [gate, options])).toEqual(Object.entries(gates));
    },
  );

  it("names the preset that was probably meant, exit 2", async () => {
    const { code, stderr } = await sluiceInProcess("preset", "bg-opps");
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean "bg-ops"')]);
  });
});

describe("sluice gate", () => {
  it.each(GATES)(
    "prints what $name asks, its options and where to look",
    async ({ name, says, options, conditions }) => {
      const { code, stdout } = await sluiceInProcess("gate", name);
      expect([code, stdout]).toEqual([0, expect.stringContaining(`${name}: ${says}`)]);
      for (const option of Object.keys(options)) expect(stdout).toMatch(new RegExp(`^  ${option} = `, "m"));
      for (const [condition, { lookAt }] of Object.entries(conditions)) {
        expect(stdout).toContain(condition);
        expect(stdout).toContain(lookAt);
      }
    },
  );

  it("names the gate that was probably meant, exit 2", async () => {
    const { code, stderr } = await sluiceInProcess("gate", "eror-rate");
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean "error-rate"')]);
  });
});
