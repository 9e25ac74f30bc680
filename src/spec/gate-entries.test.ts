import { describe, expect, it } from "vitest";
import { askedSignals } from "../core/judge/asked-signals.ts";
import { gateNamed } from "../core/judge/gates.ts";
import { gateLabel } from "../core/judge/setting.ts";
import { SIGNALS } from "../core/window/signals.ts";
import { planRollout, readRollout } from "../../test/known-drivers.ts";
import { isProblems } from "./read-rollout.ts";

const rollout = (gates: string, more = "") => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: http://127.0.0.1:4001/answer }
  candidate: { url: http://127.0.0.1:4002/answer }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
${more}  gates:
${gates}`;
const METRICS = `  metrics:
    - { name: queue-age, source: prometheus, url: http://127.0.0.1:9090, candidate: max(queue_age) }
`;
const context = {
  file: "a.yaml",
  generation: 1,
  seed: 7,
  documentDigest: "sha256:d",
  goldDigest: "",
  paths: { set: null, map: null, corpus: null },
};

function plan(text: string) {
  const read = readRollout(text);
  if (isProblems(read)) throw new Error(JSON.stringify(read));
  return planRollout(read.document, read.source, context);
}
const BOTH = "    - { use: bg-ops }\n    - { use: llm }\n";
const problemsOf = (text: string) => {
  const read = readRollout(text);
  return isProblems(read) ? read : [];
};
const gateOf = (text: string, name: string) => plan(text).gates.find((setting) => gateLabel(setting) === name);

describe("entries of gates", () => {
  it("take a preset's ladder, its ranges and its way back when the document is silent (RB-7)", () => {
    const planned = plan(rollout("    - { use: canary-serverless }\n"));
    expect(planned.onFail.to).toBe("previous-stage");
    expect(planned.stages.flatMap((stage) => (stage.kind === "traffic" ? [stage.candidateBp / 100] : []))).toEqual([
      1, 5, 10, 25, 50,
    ]);
    expect(planned.gates.find(({ gate }) => gate === "peak-hour")?.within).toEqual({ fromBp: 5_000, toBp: 10_000 });
  });

  it("take preset llm beside another one: its gates are added, none of them may stop, and ladder and limits stay", () => {
    const [alone, both] = [plan(rollout("    - { use: bg-ops }\n")), plan(rollout(BOTH))];
    const added = both.gates.filter(({ source }) => source.startsWith("preset llm"));
    expect(added).toHaveLength(10);
    expect(added.filter(({ gate, options }) => gateNamed(gate).mayStop(options))).toEqual([]);
    expect(both.gates.filter((setting) => !added.includes(setting))).toEqual(alone.gates);
    expect([both.stages, both.onFail]).toEqual([alone.stages, alone.onFail]);
    const hard = gateOf(rollout(`${BOTH}    - { gate: refusals, onHarm: stop }\n`), "refusals");
    expect([hard?.options["onHarm"], gateNamed("refusals").mayStop(hard?.options ?? {})]).toEqual(["stop", true]);
    expect(problemsOf(rollout("    - { use: llm }\n"))).toMatchObject([{ code: "E118", path: "spec.gates" }]);
  });

  it("ask of answers what their gates and the names in their rules ask, and otherwise nothing", () => {
    const rule = "candidate.first_token_ms <= 1.2 * stable.first_token_ms";
    const custom = `    - { use: bg-ops }\n    - { gate: custom, name: fast, pass: "${rule}" }\n`;
    expect(askedSignals(plan(rollout("    - { use: bg-ops }\n")).gates)).toEqual([]);
    expect(askedSignals(plan(rollout(custom)).gates)).toEqual(["firstTokenMs"]);
    expect(askedSignals(plan(rollout(BOTH)).gates)).toEqual(SIGNALS);
  });

  it("take the strictest of several presets", () => {
    const planned = plan(rollout("    - { strictestOf: [bg-ops, shaping-strict] }\n"));
    expect(planned.gates.find(({ gate }) => gate === "p95-warm")?.source).toBe(
      "preset strictest-of[bg-ops, shaping-strict]@1",
    );
    expect(planned.gates.map(({ gate }) => gate)).toContain("queue-age-slope");
  });

  it("name each metric and custom gate, fill in its defaults, and keep its range in basis points", () => {
    const gates = `    - { use: default }
    - { gate: metric, metric: queue-age, promote: 30, stop: 60 }
    - { gate: custom, name: calm, pass: "candidate.error_rate < 0.01", within: { from: 5, to: 50 } }
`;
    const text = rollout(gates, METRICS);
    expect(gateOf(text, "metric[queue-age]")).toMatchObject({
      options: { promote: 30, stop: 60, better: "lower", failures: 3 },
      source: "a.yaml:13",
    });
    expect(gateOf(text, "custom[calm]")).toMatchObject({ within: { fromBp: 500, toBp: 5_000 } });
    expect(plan(text).metrics).toEqual([
      {
        name: "queue-age",
        source: "prometheus",
        url: "http://127.0.0.1:9090",
        candidate: "max(queue_age)",
        stable: null,
        timestamp: null,
        tokenFile: null,
        everyMs: 10_000,
        maxAgeMs: 60_000,
      },
    ]);
  });

  it("GQ-37: a change type adds the gates it cannot do without, and keeps the preset's own", () => {
    const more = "  changeTypes: [cache-strategy]\n";
    const text = rollout("    - { use: default }\n", more);
    expect(gateOf(text, "cache-hit-drop")).toMatchObject({ source: "spec.changeTypes" });
    expect(gateOf(text, "error-rate")).toMatchObject({ source: "preset default@3" });
  });

  it("GQ-37: a change of the model without a gold set is refused", () => {
    const read = readRollout(rollout("    - { use: default }\n", "  changeTypes: [model]\n"));
    expect(isProblems(read) && read.map(({ code, fix }) => [code, fix])).toEqual([
      ["E124", "add spec.probes with the gold set"],
    ]);
  });

  it.each([
    ["    - { use: default, strictestOf: [default, demo] }\n", "E118", "exactly one of them"],
    ["    - { use: canary-serverles }\n", "E108", 'did you mean "canary-serverless"'],
    ["    - { use: default }\n    - { gate: custom, pass: 'true' }\n", "E120", "needs a name"],
    ["    - { use: default }\n    - { gate: p95-warm, name: x }\n", "E120", "only custom gates have a name"],
    [
      "    - { use: default }\n    - { gate: custom, name: x, pass: 'candidate.p95 < 5.0' }\n",
      "E122",
      "No such key: p95",
    ],
    ["    - { use: default }\n    - { gate: custom, name: x }\n", "E122", "needs a rule"],
    [
      "    - { use: default }\n    - { gate: metric, metric: queue-age, promote: 1 }\n",
      "E123",
      'unknown metric "queue-age"',
    ],
    ["    - { use: default }\n    - { gate: five-xx-abs, promot: 0.1 }\n", "E104", 'did you mean "promote"'],
    ["    - { use: default }\n    - { gate: tool-loop, max: -1 }\n", "E119", "tool-loop"],
    ["    - { use: default }\n    - { gate: p95-warm, within: { from: 50, to: 5 } }\n", "E121", "never asked"],
  ])("refuse %j with %s", (gates, code, text) => {
    const read = readRollout(rollout(gates));
    expect(isProblems(read) && read.map((problem) => [problem.code, problem.message])).toEqual([
      [code, expect.stringContaining(text)],
    ]);
  });

  it("refuse a ratio of a metric that has no side for stable, and two metrics of one name", () => {
    const gates =
      "    - { use: default }\n    - { gate: metric, metric: queue-age, promote: 1.2, comparison: ratio }\n";
    const read = readRollout(rollout(gates, METRICS));
    expect(isProblems(read) && read[0]?.message).toContain("no query for stable");
    const twice = METRICS + METRICS.split("\n").slice(1).join("\n");
    const doubled = readRollout(rollout("    - { use: default }\n", twice));
    expect(isProblems(doubled) && doubled[0]?.message).toContain('second metric is named "queue-age"');
  });

  it("SL-3: carry what each arm serves into the plan; an unnamed pin is not locked", () => {
    const text = rollout("    - { use: default }\n").replace(
      "4002/answer }",
      "4002/answer, serves: { schemaRev: { min: sc-12, max: sc-14 } } }",
    );
    const { stable, candidate } = plan(text).arms;
    expect(candidate.serves).toEqual({ schemaRev: { min: "sc-12", max: "sc-14" }, indexHash: null, modelTag: null });
    expect(stable.serves).toBeUndefined();
    const read = readRollout(text.replace("min: sc-12, max: sc-14", "min: sc-9, max: sc-2"));
    expect(isProblems(read) && read.map(({ code }) => code)).toEqual(["E125"]);
  });
});
