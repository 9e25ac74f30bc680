import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GATE_NAMES } from "../../src/core/gate/order.ts";
import { stopConditionOf } from "../../src/core/gate/stop-condition.ts";
import { PRESETS } from "../../src/spec/preset/index.ts";
import { isProblems, readRollout } from "../../src/spec/read-rollout.ts";

const text = readFileSync(new URL("../../docs/judge.md", import.meta.url), "utf8");
const tableCells = (column: number) =>
  text
    .split("\n")
    .flatMap((line) => [...(line.split("|")[column] ?? "").matchAll(/`([^`]+)`/g)].map(([, word]) => word));

describe("docs/judge.md", () => {
  it("lists every kind of gate, with its reason code", () => {
    expect(GATE_NAMES.filter((name) => !tableCells(1).includes(name))).toEqual([]);
    const codes = [...tableCells(4), ...tableCells(1).map((name) => name?.replaceAll("-", "_"))];
    expect(GATE_NAMES.filter((gate) => !codes.includes(stopConditionOf({ gate }) ?? ""))).toEqual([]);
  });

  it("lists every preset with the ladder it has", () => {
    for (const { name, stages } of Object.values(PRESETS)) {
      const steps = stages.map((stage) =>
        stage.kind === "probes" ? "probes" : stage.kind === "watch" ? "100" : String(stage.candidateBp / 100),
      );
      const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\``));
      expect([name, row?.split("|")[3]?.trim()]).toEqual([name, steps.join(", ")]);
    }
  });

  it("has documents that are valid", () => {
    const documents = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, document]) => document ?? "");
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents) {
      const read = readRollout(document);
      expect(isProblems(read) ? read : []).toEqual([]);
    }
  });
});
