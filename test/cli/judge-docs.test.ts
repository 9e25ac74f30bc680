import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { gateTables } from "../../src/cli/format/gate-description.ts";
import { PRESETS } from "../../src/spec/preset/index.ts";
import { readRollout } from "../known-drivers.ts";
import { isProblems } from "../../src/spec/read-rollout.ts";

const FILE = fileURLToPath(new URL("../../docs/judge.md", import.meta.url));
const BEGIN = "<!-- gates: written by the gates' own definitions -->\n";
const END = "<!-- end of gates -->";

/** With UPDATE_DOCS=1 the generated part is written first. */
function handbook(): string {
  const found = readFileSync(FILE, "utf8");
  if (process.env["UPDATE_DOCS"] !== "1") return found;
  const [before = "", rest = ""] = found.split(BEGIN);
  const written = `${before}${BEGIN}${gateTables().join("\n")}\n${END}${rest.split(END)[1] ?? ""}`;
  writeFileSync(FILE, written);
  return written;
}
const text = handbook();

describe("docs/judge.md", () => {
  it("has the tables that the gates' own definitions give", () => {
    const generated = text.split(BEGIN)[1]?.split(END)[0];
    expect(generated).toBe(`${gateTables().join("\n")}\n`);
  });

  it("lists every preset with the ladder it has", () => {
    for (const { name, stages, pace } of Object.values(PRESETS)) {
      const steps = stages.map((stage) =>
        stage.kind === "traffic" ? String(stage.candidateBp / 100) : stage.kind === "watch" ? "100" : stage.kind,
      );
      const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\``));
      expect([name, row?.split("|")[3]?.trim()]).toEqual([
        name,
        `${pace === undefined ? "" : "by evidence among "}${steps.join(", ")}`,
      ]);
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
