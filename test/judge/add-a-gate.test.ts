import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { KNOWN_DRIVERS } from "../../src/host/driver-registry.ts";
import { aBlock } from "../builders.ts";
import { atShare } from "../verdict-of.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "sluice-gate-"));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Step 1 and 2 of the recipe: one file. */
const GATE = `
import { defineGate } from "../definition.ts";
import { number, SHARE } from "../fields.ts";
import { trafficVerdict } from "../traffic/traffic-verdict.ts";

export const quietHours = defineGate({
  name: "quiet-hours",
  reads: "traffic",
  counts: "requests",
  says: "Is the candidate busy enough?",
  unit: "requests",
  from: "gateway",
  options: { least: number(SHARE, { says: "the least share of requests", fallback: 0.5, stricter: "higher" }) },
  conditions: { quiet_hours: { means: "is too quiet", lookAt: "the clock" } },
  needs: () => ({ needsSamples: 1, detectable: "silence" }),
  traffic: {
    start: () => ({ requests: 0 }),
    fold: ({ requests }, { arms }) => ({ requests: requests + arms.candidate.requests }),
    isHarmProven: () => false,
    decide: ({ requests }, _stage, { least }) => {
      const base = { gate: "quiet-hours", samples: { stable: 0, candidate: requests }, threshold: least, alpha: null };
      return trafficVerdict(base, requests > least ? "pass" : "no-data", { estimate: requests, reason: "counted" });
    },
  },
});
`;

function follow(): void {
  cpSync(join(ROOT, "src"), join(copy, "src"), { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
  cpSync(join(ROOT, "package.json"), join(copy, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "src/core/judge/traffic/quiet-hours.ts"), GATE);
  const index = join(copy, "src/core/judge/gates.ts");
  const listed = readFileSync(index, "utf8")
    .replace("import ", 'import { quietHours } from "./traffic/quiet-hours.ts";\nimport ')
    .replace("const KINDS = [", "const KINDS = [quietHours,");
  writeFileSync(index, listed);
}

describe("the recipe to add a gate", () => {
  const recipe =
    readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8").split("## Add a gate\n")[1]?.split("\n## ")[0] ?? "";

  it("has five lines that name the places it touches", () => {
    expect(recipe.trim().split("\n")).toHaveLength(5);
    for (const place of ["src/core/judge/<family>/<gate>.ts", "src/core/judge/gates.ts", "src/spec/preset/"])
      expect(recipe).toContain(place);
  });

  it("makes documents, documentation, the command line and the judge know the gate", async () => {
    follow();
    const load = (path: string): Promise<typeof import("../../src/core/judge/engine.ts")> => import(join(copy, path));
    const { optionsSchema }: typeof import("../../src/spec/gate-schema.ts") = await import(
      join(copy, "src/spec/gate-schema.ts")
    );
    expect(optionsSchema("quiet-hours").safeParse({ least: 0.2 }).success).toBe(true);
    expect(optionsSchema("quiet-hours").safeParse({ least: 2 }).success).toBe(false);
    const { documentSchemas }: typeof import("../../src/spec/json-schema.ts") = await import(
      join(copy, "src/spec/json-schema.ts")
    );
    expect(JSON.stringify(documentSchemas(KNOWN_DRIVERS))).toContain('"const":"quiet-hours"');
    const { gateTables }: typeof import("../../src/cli/format/gate-description.ts") = await import(
      join(copy, "src/cli/format/gate-description.ts")
    );
    expect(gateTables().filter((line) => line.startsWith("| `quiet-hours`"))).toHaveLength(2);
    const { gate }: typeof import("../../src/cli/commands/gate.ts") = await import(
      join(copy, "src/cli/commands/gate.ts")
    );
    const said: string[] = [];
    const terminal = {
      data: (line: string) => void said.push(line),
      document: () => {},
      say: () => {},
      isInteractive: false,
      paint: (_style: unknown, text: string) => text,
    };
    expect(await gate("quiet-hours", { json: false }, terminal)).toBe(0);
    expect(said.join("\n")).toContain("quiet_hours: the candidate is too quiet; look at the clock");
    const { foldEvidence, judgeTraffic, startEvidence } = await load("src/core/judge/engine.ts");
    const settings = [{ gate: "quiet-hours", options: {}, source: "test" }];
    const evidence = foldEvidence(startEvidence(settings), aBlock(10, {}, { requests: 3 }), settings);
    expect(judgeTraffic(evidence, atShare(10), settings)).toMatchObject([{ gate: "quiet-hours", kind: "pass" }]);
  });
});
