import { describe, expect, it } from "vitest";
import type { Problem } from "../core/problem.ts";
import { describeProblem } from "./excerpt.ts";
import { planRollout, readRollout } from "../../test/known-drivers.ts";
import { isProblems } from "./read-rollout.ts";

const GOOD = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: support-rag-7 }
spec:
  service: support-rag
  stable: { url: http://127.0.0.1:4001/answer }
  candidate: { url: http://127.0.0.1:4002/answer }
  changes: []
  route:
    driver: gateway
    listen: 127.0.0.1:4000
    trustedHeaders: [x-user-id]
    stickyBy: [{ header: x-user-id }]
    drain: 24h
  probes: { set: gold.yaml, k: 10, repeats: 2 }
  strategy:
    canary:
      steps:
        - { probes: true }
        - { weight: 10, hold: 12s }
  gates: [{ use: default }]
  onFail: { do: rollback, to: stable }
`;

const problemsOf = (text: string): readonly Problem[] => {
  const read = readRollout(text);
  return isProblems(read) ? read : [];
};
const one = (text: string): Problem => {
  const problems = problemsOf(text);
  expect(problems.map((problem) => problem.message)).toHaveLength(1);
  return problems[0] as Problem;
};
const context = {
  file: "a.yaml",
  generation: 1,
  seed: 7,
  documentDigest: "sha256:d",
  goldDigest: "sha256:g",
  paths: { set: null, map: null, corpus: null },
};

describe("strategy.pace", () => {
  const STEPS = GOOD.slice(GOOD.indexOf("    canary:"), GOOD.indexOf("  gates:"));
  const paced = (pace: string): string => GOOD.replace(STEPS, `    pace: ${pace}\n`);
  const planOf = (text: string) => {
    const read = readRollout(text);
    if (isProblems(read)) throw new Error(JSON.stringify(read));
    return planRollout(read.document, read.source, context);
  };
  const sharesOf = (text: string) =>
    planOf(text).stages.flatMap((stage) => (stage.kind === "traffic" ? [stage.candidateBp / 100] : []));

  it("plans the shares that may be chosen, probes where margins tighten, the soak below 100 %, and the bounds", () => {
    const { stages, pace } = planOf(paced("evidence"));
    expect(pace).toEqual({ harm: { dead: 7, fourfoldErrors: 50, slower40: 2_000 }, fastest: 5 });
    expect(sharesOf(paced("evidence"))).toEqual([0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 7, 10, 15, 30, 50]);
    const probed = stages.flatMap((stage, index) => (stage.kind === "probes" ? [[index, stage.tier]] : []));
    expect(probed).toEqual([
      [0, "full"],
      [11, "smoke"],
      [15, "smoke"],
      [17, "full"],
    ]);
    expect(stages[16]).toEqual({
      kind: "traffic",
      candidateBp: 5_000,
      holdMs: 3_600_000,
      capMs: 28_800_000,
      onCap: "wait",
    });
    expect(stages.at(-1)).toEqual({ kind: "watch", holdMs: 3_600_000 });
  });

  it("takes every bound that the document gives", () => {
    const text = paced("{ harm: { dead: 3 }, fastest: 2, slowest: 2, last: 25, soak: 10m, cap: 1h, watch: 5m }");
    const { stages, pace } = planOf(text);
    expect(pace).toEqual({ harm: { dead: 3, fourfoldErrors: 50, slower40: 2_000 }, fastest: 2 });
    expect(sharesOf(text)).toEqual([0.1, 0.2, 0.5, 1, 2, 5, 10, 25]);
    expect(stages.at(-3)).toMatchObject({ candidateBp: 2_500, holdMs: 600_000, capMs: 3_600_000 });
    expect(stages.at(-1)).toEqual({ kind: "watch", holdMs: 300_000 });
  });

  it.each([
    [GOOD.replace("    canary:", "    pace: evidence\n    canary:"), "E135", "both canary steps and a pace"],
    [GOOD.replace(STEPS, "    {}\n"), "E135", "neither canary steps nor a pace"],
    [paced("{ fastest: 1.2 }"), "E136", "the fastest growth (1.2) is below the slowest (1.4)"],
  ])("refuses what cannot be meant (%#)", (text, code, message) => {
    expect(one(text)).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe("metadata.labels", () => {
  const labelled = (count: number): string => {
    const labels = Array.from({ length: count }, (_, index) => `l${index}: "x"`).join(", ");
    return GOOD.replace(/metadata:.*\n(  name: .*\n)?/, (found) =>
      found.includes("{") ? found.replace(" }", `, labels: { ${labels} } }`) : `${found}  labels: { ${labels} }\n`,
    );
  };

  it("may be 64, and 20 000 are refused with the limit", () => {
    expect(problemsOf(labelled(64))).toEqual([]);
    expect(one(labelled(20_000)).message).toContain("at most 64 labels");
  });
});

describe("readRollout", () => {
  it("reads the smallest rollout and plans it with every default filled in", () => {
    const read = readRollout(GOOD);
    if (isProblems(read)) throw new Error(JSON.stringify(read));
    const plan = planRollout(read.document, read.source, context);
    expect(plan.stages).toEqual([
      { kind: "probes", tier: "full" },
      { kind: "traffic", candidateBp: 1_000, holdMs: 12_000, capMs: 28_800_000, onCap: "wait" },
      { kind: "watch", holdMs: 3_600_000 },
    ]);
    expect(plan.arms.candidate).toMatchObject({
      endpoints: ["http://127.0.0.1:4002"],
      healthUrl: "http://127.0.0.1:4002/healthz/ready",
      answerUrl: "http://127.0.0.1:4002/answer",
    });
    expect(plan.gates.map((setting) => setting.gate)).toEqual([
      "schema-violation",
      "parity",
      "sample-ratio",
      "error-rate",
      "new-error-class",
      "p95-warm",
      "coverage",
      "delta-s",
      "lambda",
    ]);
  });

  it("takes the exact basis points of a weight with two decimals", () => {
    const read = readRollout(GOOD.replace("weight: 10,", "weight: 0.07,"));
    if (isProblems(read)) throw new Error(JSON.stringify(read));
    expect(planRollout(read.document, read.source, context).stages[1]).toMatchObject({ candidateBp: 7 });
  });

  it("lets a later entry override one gate and says which line asked for it", () => {
    const text = GOOD.replace(
      "[{ use: default }]",
      "\n    - use: default\n    - { gate: error-rate, minSamples: 500 }",
    );
    const read = readRollout(text);
    if (isProblems(read)) throw new Error(JSON.stringify(read));
    const setting = planRollout(read.document, read.source, context).gates.find(({ gate }) => gate === "error-rate");
    expect(setting).toMatchObject({ source: "a.yaml:23", options: { minSamples: 500, alpha: 0.001 } });
  });

  it("reports all problems at once, each with line and column, in the order of the text", () => {
    const text = GOOD.replace("drain: 24h", "drain: 24")
      .replace("weight: 10,", "wieght: 10,")
      .replace("use: default", "use: defualt");
    const problems = problemsOf(text);
    expect(problems.map(({ code, at }) => [code, at?.line])).toEqual([
      ["E105", 14],
      ["E104", 20],
      ["E108", 21],
    ]);
    expect(problems.map(({ message }) => message).join("\n")).toContain('did you mean "weight"?');
    expect(problems.map(({ message }) => message).join("\n")).toContain('did you mean "default"?');
  });

  it("refuses stickyFor where no cookie is there to live for it, and says that the hash keeps users", () => {
    const text = GOOD.replace("drain: 24h", "stickyFor: 24h");
    const [problem, ...others] = problemsOf(text);
    expect([problem?.code, others]).toEqual(["E132", []]);
    expect(problem?.message).toContain("the hash keeps users for the whole rollout");
    const header = "stickyBy: [{ header: x-user-id }";
    const withCookie = text.replace(header, `${header}, { cookie: visitor }`);
    expect(problemsOf(withCookie)).toEqual([]);
    expect(problemsOf(withCookie.replace("stickyFor: 24h", "stickyFor: 9s")).map(({ code }) => code)).toEqual(["E132"]);
    const first = text.replace("stickyBy: [", "stickyBy: [{ cookie: visitor }, ");
    expect(problemsOf(first).map(({ code }) => code)).toEqual(["E131"]);
  });

  it("points a caret at the unknown key", () => {
    const text = GOOD.replace("  probes:", "  probs:");
    const problem = one(text.replace("        - { probes: true }\n", ""));
    expect(describeProblem(problem, "a.yaml", text)).toBe(
      [
        'E104 a.yaml:15:3  unknown key "probs"; did you mean "probes"?',
        "   15 |   probs: { set: gold.yaml, k: 10, repeats: 2 }",
        "      |   ^^^^^",
      ].join("\n"),
    );
  });

  it("lets a later release come to stand where users were before the first rollout", () => {
    const slots = GOOD.replace("stable: {", "stable: current\n  startsFrom: {");
    expect(problemsOf(slots.replace("4002", "4001"))).toEqual([]);
  });

  it.each([
    ["a duration without its unit", "E105", "hold: 12s", "hold: 12"],
    ["a duration out of order", "E105", "hold: 12s", "hold: 5s1m"],
    ["three decimals", "E105", "weight: 10,", "weight: 10.123,"],
    ["a share above 100", "E105", "weight: 10,", "weight: 101,"],
    ["the same address under another name of this machine", "E110", "127.0.0.1:4002", "localhost:4001"],
    ["the same address twice", "E110", "http://127.0.0.1:4002", "http://127.0.0.1:4001"],
    ["a gold set that no step asks", "E138", "        - { probes: true }\n", ""],
    [
      "a sticky header nobody vouches for",
      "E112",
      "stickyBy: [{ header: x-user-id }]",
      "stickyBy: [{ header: x-session }]",
    ],
    ["a file address", "E105", "http://127.0.0.1:4002/answer", "file:///etc/passwd"],
    ["an unknown kind", "E107", "kind: Rollout", "kind: Rolout"],
    ["an unknown version", "E108", "sluice/v1", "sluice/v9"],
    ["a missing service", "E102", "  service: support-rag\n", ""],
    ["an unknown gate", "E108", "{ use: default }", "{ use: default }, { gate: deltas }"],
    ["an unknown gate option", "E104", "{ use: default }", "{ use: default }, { gate: parity, alpha: 0.1 }"],
    ["an impossible gate option", "E119", "{ use: default }", "{ use: default }, { gate: error-rate, alpha: 2 }"],
    ["no preset", "E118", "{ use: default }", "{ gate: parity }"],
    ["proceeding without proof at 50 %", "E116", "weight: 10, hold: 12s", "weight: 50, hold: 12s, onCap: proceed"],
    ["a cap before the hold", "E117", "hold: 12s }", "hold: 12s, cap: 5s }"],
    ["a step that is both", "E113", "{ probes: true }", "{ probes: true, weight: 5 }"],
    ["a ladder that falls", "E115", "hold: 12s }", "hold: 12s }\n        - { weight: 5, hold: 12s }"],
    ["probes that are not there", "E114", "  probes: { set: gold.yaml, k: 10, repeats: 2 }\n", ""],
    ["a duplicate key", "E101", "  changes: []", "  changes: []\n  changes: []"],
    ["an alias bomb's shape", "E101", "metadata: { name: support-rag-7 }", "metadata: { name: *nobody }"],
  ])("refuses %s with %s", (_, code, find, replacement) => {
    expect(one(GOOD.replace(find, replacement)).code).toBe(code);
  });

  it("says what was found when the document is empty or a list", () => {
    expect(one("").message).toContain("found nothing");
    expect(one("- a").message).toContain("found a list");
  });

  it("tells a misspelt option of one gate beside the wrong name of another, and a bare number where a duration belongs", () => {
    const read = readRollout(
      GOOD.replace("{ weight: 10, hold: 12s }", "{ weight: 10, hold: 15 }").replace(
        "gates: [{ use: default }]",
        "gates: [{ use: default }, { gate: error-rte }, { gate: error-rate, minSample: 9 }]",
      ),
    );
    const problems = isProblems(read) ? read : [];
    expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "E105 found 15, expected a duration with its unit: write 15s or 15m",
      expect.stringContaining('E108 unknown value "error-rte"'),
      expect.stringContaining('E104 unknown key "minSample"; did you mean "minSamples"?'),
    ]);
  });

  it("says in its own words that a list is too short, and what to write where users have no header", () => {
    const none = one(GOOD.replace("stickyBy: [{ header: x-user-id }]", "stickyBy: []"));
    expect(none).toMatchObject({ code: "E105", message: "found 0 items, expected at least 1" });
    expect(none.fix).toContain("requests without it go to stable");
    const missing = one(GOOD.replace("    trustedHeaders: [x-user-id]\n", ""));
    expect(missing).toMatchObject({ code: "E102", fix: expect.stringContaining("your own proxy sets") });
    const long = GOOD.replace("    drain: 24h", `    drain: 24h\n    allow: ["${"a".repeat(300)}"]`);
    expect(one(long).message).toBe("found 300 characters, expected at most 256");
  });

  it("finds a gateway that would listen where an arm is, under any name of this machine", () => {
    for (const listen of ["127.0.0.1:4002", "localhost:4002", "0.0.0.0:4002", '"[::1]:4002"']) {
      const read = readRollout(GOOD.replace("listen: 127.0.0.1:4000", `listen: ${listen}`));
      expect(isProblems(read) ? read.map(({ code }) => code) : []).toEqual(["E130"]);
    }
    expect(isProblems(readRollout(GOOD))).toBe(false);
  });
});
