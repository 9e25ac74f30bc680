import type { ServingArm } from "../../src/core/arm.ts";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { judgeAnswer } from "../../src/cli/answer/judge-answer.ts";
import { planAnswer } from "../../src/cli/answer/plan-answer.ts";
import { probeAnswer } from "../../src/cli/answer/probe-answer.ts";
import { simulateAnswer } from "../../src/cli/answer/simulate-answer.ts";
import { HANDBOOK, HANDBOOK_GOLD } from "../../src/cli/handbook.ts";
import type { CoverageLevel, DeltaSReport, LambdaState, ProbeReport } from "../../src/core/measure/report.ts";
import type { Stage } from "../../src/core/stage/plan.ts";
import type { VerdictKind } from "../../src/core/verdict.ts";
import { SCHEMA_FOLDER } from "../checked-in-schema.ts";
import { withLab } from "../lab/lab-client.ts";
import { mutantsOf } from "./answer-mutants.ts";
import { temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";
import { ndjson, traceEvents, type TraceShape } from "./trace-events.ts";

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  judge: judgeAnswer,
  simulate: simulateAnswer,
  plan: planAnswer,
  probe: probeAnswer,
};
const checkedIn = (command: string) => JSON.parse(readFileSync(`${SCHEMA_FOLDER}${command}.schema.json`, "utf8"));
/** The published files as another program reads them; formats are annotations, the pattern beside one decides. */
const ajv = new Ajv({ allErrors: true, validateFormats: false });
const validators = Object.fromEntries(
  Object.keys(SCHEMAS).map((command) => [command, ajv.compile(checkedIn(command))]),
);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let written = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function file(content: string): Promise<string> {
  const path = join(folder.path, `${++written}.txt`);
  await writeFile(path, content);
  return path;
}

type Answer = Readonly<Record<string, unknown>>;

/** What a command printed, line by line; each line must be valid, and every change of its shape must not be. */
async function answersOf(...argv: readonly string[]): Promise<{ readonly code: number; readonly answers: Answer[] }> {
  const { code, stdout, stderr } = await sluiceInProcess(...argv, "--json");
  if (stdout === "") throw new Error(`exit ${code}: ${stderr}`);
  const [command = ""] = argv;
  const answers = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
  for (const answer of answers) expectShape(command, answer);
  return { code, answers };
}

function expectShape(command: string, answer: Answer): void {
  const [code, published] = [SCHEMAS[command], validators[command]];
  expect(code?.safeParse(answer).error?.issues ?? []).toEqual([]);
  expect(published?.(answer) ? [] : published?.errors).toEqual([]);
  const mutants = mutantsOf(answer);
  expect(mutants.length).toBeGreaterThan(30);
  const accepted = mutants.filter(
    ({ mutant }) => code?.safeParse(mutant).success !== false || published?.(mutant) !== false,
  );
  expect(accepted.map(({ says }) => says)).toEqual([]);
}

async function judged(shape: TraceShape | null, ...argv: readonly string[]): Promise<[number, Answer]> {
  const trace = await file(shape === null ? "" : ndjson(traceEvents(shape)));
  const { code, answers } = await answersOf("judge", "--trace", trace, "--only", "trace", "--hold", "0s", ...argv);
  expect(answers).toHaveLength(1);
  return [code, answers[0] ?? {}];
}

describe("schema/judge.schema.json describes what sluice judge --json prints", () => {
  const split = ["--split", "5000:5000"];

  it.each([
    ["pass", 0, { seconds: 60 }, []],
    ["pass", 0, { seconds: 60 }, split],
    ["fail", 10, { seconds: 60, errors: 0.3 }, []],
    ["fail", 10, { seconds: 60, errors: 0.3 }, split],
    ["no-data", 11, null, []],
    ["no-data", 11, null, split],
    ["fail", 10, { seconds: 40, errors: 0.008 }, ["--mode", "literal"]],
    ["fail", 10, { seconds: 40, errors: 0.008 }, ["--mode", "literal", ...split]],
    ["error", 1, { seconds: 60, share: 0.1 }, split],
  ] as const)("%s with exit %i, of %j with %j", async (verdict, exit, shape, argv) => {
    const [code, answer] = await judged(shape, ...argv);
    expect([code, answer["verdict"]]).toEqual([exit, verdict]);
    expect(answer["srm"] === null).toBe(argv.every((word) => word !== "--split"));
  });

  it("a trace with a line that is none, and one whose probe gates have no data", async () => {
    const spoiled = await file(`${ndjson(traceEvents({ seconds: 5 }))}{"ts":\n`);
    const { answers } = await answersOf("judge", "--trace", spoiled);
    expect(answers[0]).toMatchObject({ malformed: 1, malformed_first: { line: 1_001 } });
    expect(JSON.stringify(answers[0]?.["gates"])).toContain('"gate":"coverage","verdict":"no-data"');
  });
});

/** The smallest document with other steps and gates; with probes when they are asked for. */
function document(steps: string, gates: string, probes = ""): Promise<string> {
  return file(`apiVersion: sluice/v1
kind: Rollout
metadata: { name: desk-2 }
spec:
  service: desk
  stable: { url: "http://127.0.0.1:4001/answer" }
  candidate: { url: "http://127.0.0.1:4002/answer" }
  route: { driver: gateway, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  ${probes}
  strategy: { canary: { steps: [${steps}], watch: 1m } }
  gates: [${gates}]
`);
}

describe("schema/plan.schema.json describes what sluice plan --json prints", () => {
  const codes = ({ warnings }: Answer) => [...new Set((warnings as { code: string }[]).map(({ code }) => code))];
  const planned = async (path: string, rps: number): Promise<[number, Answer]> => {
    const { code, answers } = await answersOf("plan", path, "--rps", String(rps));
    return [code, answers[0] ?? {}];
  };

  it("the smallest document: a share, the watch, no warning", async () => {
    const [code, answer] = await planned(await document("{ weight: 10, hold: 12s }", "{ use: default }"), 100);
    expect([code, codes(answer)]).toEqual([0, []]);
    expect(answer["stages"]).toMatchObject([{ kind: "traffic", share_bp: 1_000 }, { kind: "watch" }]);
  });

  it("a probe stage, and a literal limit that stops healthy candidates: W202", async () => {
    const probes = `probes: { set: ${JSON.stringify(HANDBOOK_GOLD)}, k: 10, repeats: 2 }`;
    const path = await document("{ probes: true }, { weight: 25, hold: 10m }", "{ use: shaping-strict }", probes);
    const [code, answer] = await planned(path, 100);
    expect([code, codes(answer)]).toEqual([0, ["W202"]]);
    expect(answer["stages"]).toMatchObject([{ kind: "probes" }, { kind: "traffic" }, { kind: "watch" }]);
  });

  it("gates that cannot decide: E201 where the stage then waits, W201 where it goes on, and never 100 %", async () => {
    const path = await document(
      "{ weight: 1, hold: 15m, cap: 1h, onCap: proceed }, { weight: 10, hold: 15m, cap: 1h }",
      "{ use: default }",
    );
    const [code, answer] = await planned(path, 1);
    expect([code, codes(answer)]).toEqual([2, ["W201", "E201"]]);
    expect(answer["rollout"]).toMatchObject({ time_to_100_s: null });
  });
});

describe("schema/simulate.schema.json describes each line sluice simulate --json prints", () => {
  it("2 runs of a healthy, a dead and a slow candidate", async () => {
    const policy = await document("{ weight: 20, hold: 2m }, { weight: 50, hold: 2m }", "{ use: default }");
    const argv = ["--policy", policy, "--rps", "50", "--runs", "2", "--scenario", "healthy", "dead", "slow-40"];
    const { code, answers } = await answersOf("simulate", ...argv);
    expect([code, answers.map(({ scenario }) => scenario)]).toEqual([0, ["healthy", "dead", "slow-40"]]);
    expect(answers[0]).toMatchObject({ false_promote: null, time_to_100_s: { p50: expect.any(Number) } });
    expect(answers[1]).toMatchObject({ false_abort: null, time_to_100_s: null, causes: { "error-rate": 2 } });
  }, 60_000);
});

describe("schema/probe.schema.json describes what sluice probe --json prints", () => {
  const ASKED = ["--gold", HANDBOOK_GOLD, "--tier", "smoke"];

  it("two laboratory services, the candidate with lost sections and failing answers", async () => {
    const stable = { corpus: HANDBOOK, index: "stable" };
    const faults = ["dropped-sections=0.5", "errors=0.05"];
    await withLab(stable, (baseline) =>
      withLab({ ...stable, index: "candidate", faults }, async (candidate) => {
        const argv = ["probe", "--target", candidate.url, "--baseline", baseline.url, ...ASKED, "--corpus", HANDBOOK];
        const { code, answers } = await answersOf(...argv);
        const [answer = {}] = answers;
        expect([code, answer["verdict"]]).toEqual([10, "fail"]);
        expect(answer["discordant"]).not.toEqual([]);
        expect(JSON.stringify(answer)).toMatch(/"error_classes":\{"headers/);
      }),
    );
  }, 60_000);

  it("one service alone, whose anchors are its own answers: nothing is paired", async () => {
    await withLab({ corpus: HANDBOOK, index: "alone" }, async ({ url }) => {
      const { answers } = await answersOf("probe", "--target", url, ...ASKED);
      expect(answers[0]).toMatchObject({ metrics: { stable: null }, paired: null, discordant: [] });
    });
  }, 60_000);
});

/** Every list of allowed values in a schema, by the key it stands at. */
function enumsOf(schema: unknown, key = ""): readonly (readonly [key: string, values: readonly string[]])[] {
  if (typeof schema !== "object" || schema === null) return [];
  if ("enum" in schema) return [[key, schema.enum as string[]]];
  return Object.entries(schema).flatMap(([name, part]) =>
    enumsOf(part, /^(properties|items|anyOf|\d+)$/.test(name) ? key : name),
  );
}

describe("the lists of allowed values in schema/", () => {
  const every = <Union extends string>(members: Readonly<Record<Union, true>>): readonly string[] =>
    Object.keys(members).sort();
  const verdict = every<VerdictKind>({ pass: true, fail: true, inconclusive: true, "no-data": true, error: true });
  const state = every<LambdaState>({ "→": true, "=": true, "<>": true, "←": true, "×": true, unknown: true });
  const level = every<CoverageLevel>({ L1: true, L2: true, L3: true });
  const scale = every<DeltaSReport["scale"]>({ calibrated: true, raw: true });

  it.each([
    ["judge", { verdict }],
    ["simulate", {}],
    [
      "plan",
      {
        kind: every<Stage["kind"]>({ probes: true, shadow: true, traffic: true, watch: true }),
        code: ["E201", "E202", "W201", "W202", "W203", "W204", "W205"],
        without_health: every<ServingArm>({ stable: true, candidate: true }),
      },
    ],
    [
      "probe",
      {
        verdict,
        scale,
        level,
        kind: every<"error" | "schema-violation">({ error: true, "schema-violation": true }),
        stable: state,
        candidate: state,
        lambda_state: state,
        self_test: every<ProbeReport["selfTest"]>({ fired: true, "did not fire": true }),
        tier: every<ProbeReport["tier"]>({ smoke: true, full: true }),
      },
    ],
  ])("%s has every member of the types, and no other", (command, expected) => {
    const found = enumsOf(checkedIn(command)).map(([key, values]) => [key, values.toSorted()] as const);
    for (const [key, values] of found) expect(values, key).toEqual((expected as Record<string, string[]>)[key]);
    expect(new Set(found.map(([key]) => key))).toEqual(new Set(Object.keys(expected)));
  });
});
