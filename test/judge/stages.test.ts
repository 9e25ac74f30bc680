import { describe, expect, it } from "vitest";
import { route } from "../../src/core/routing/route.ts";
import { bp } from "../../src/core/unit.ts";
import { recipientsOf } from "../../src/fence/webhook/sink.ts";
import { createSharedSecret } from "../../src/fence/webhook/secret.ts";
import { webhookSigner } from "../../src/fence/webhook/sign.ts";
import { CHANGE_TYPES } from "../../src/spec/preset/change-type.ts";
import { aProbeReport } from "../probe-report.ts";
import { PresetRollout, planOf, type Release, type Shows } from "./preset-rollout.ts";

const started = (release: Release) => new PresetRollout(release).start();
const outcomeOf = async (release: Release) => (await started(release)).outcome();
const at = (weight: number) => `[{ weight: ${weight}, hold: 1s }]`;
const HEADERS = "headers|5xx|503";

describe("bg-serverless", () => {
  const SHADOW = "[{ probes: true }, { weight: 1, hold: 1s }]";

  it.each([
    ["a coverage of 0.69", "coverage", { candidate: { coverage: 0.69 } }],
    ["a median ΔS of 0.60", "delta-s", { candidate: { median: 0.6 } }],
    ["one answer that breaks its schema", "schema-violation", { candidate: { schemaViolations: 1 } }],
  ] as const)("ST-11: %s in the shadow stops by %s before any user is served", async (_, gate, report) => {
    const rollout = await started({ preset: "bg-serverless", steps: SHADOW, probe: aProbeReport(report) });
    expect(await rollout.outcome()).toBe(`stopped by ${gate}`);
    expect(rollout.world.gateway.adopted.every(([, , candidateBp]) => candidateBp === 0)).toBe(true);
  });

  it("ST-11: a shadow within all three goes on", async () => {
    const probe = aProbeReport({ stable: { coverage: 0.7 }, candidate: { coverage: 0.7, median: 0.45 } });
    expect(await outcomeOf({ preset: "bg-serverless", steps: SHADOW, probe })).toBe("goes on");
  });
});

describe("bg-ops", () => {
  it("ST-16: nobody is flipped to a green that is not ready, and it is flipped once it is", async () => {
    let [isReady, reads] = [false, 0];
    const unready: Release = { preset: "bg-ops", health: (arm) => (arm === "candidate" ? null : {}) };
    await expect(started(unready)).rejects.toThrow("refused");
    const health: Release["health"] = (arm) => (arm === "candidate" && ++reads > 1 && !isReady ? null : {});
    const rollout = await started({ preset: "bg-ops", health });
    const { world } = rollout;
    await rollout.until(() => false, 100);
    expect([world.stored?.rollout.candidateBp, world.gateway.document.candidateBp]).toEqual([0, 0]);
    expect(JSON.stringify(world.stored?.rollout.verdicts)).toContain("not ready");
    isReady = true;
    await rollout.until(() => world.gateway.document.candidateBp === 10_000, 100);
    expect(world.gateway.document.candidateBp).toBe(10_000);
    await world.controller.stop();
  });
});

describe("canary-serverless", () => {
  it.each([
    ["a warm p95 of 1.2 x control", "goes on", { slower: 1.2 }],
    ["a warm p95 of 1.3 x control", "stopped by p95-warm", { slower: 1.3 }],
    ["a class of 5xx that control has never shown", "stopped by new-error-class", { classes: { [HEADERS]: 0.02 } }],
  ] as const)("ST-2: at 1 % %s: %s", async (_, outcome, candidate: Shows) => {
    expect(await outcomeOf({ preset: "canary-serverless", steps: at(1), candidate })).toBe(outcome);
  });

  it.each([
    [0.7, "goes on"],
    [0.69, "stopped by coverage"],
  ] as const)("ST-3: at 5 % users you trust are on the candidate, and one topic at %f: %s", async (mean, outcome) => {
    const steps = "[{ weight: 5, hold: 1s }, { probes: true }, { weight: 10, hold: 1s }]";
    const probe = aProbeReport({ candidate: { topics: { billing: mean, refunds: 0.9 } } });
    const rollout = await started({ preset: "canary-serverless", steps, probe });
    const { world } = rollout;
    await rollout.until(() => world.gateway.document.candidateBp === 500);
    const arm = route(world.gateway.plane.planAt(world.clock.monoMs()), "vip", null, null);
    expect([arm.arm, arm.reason]).toEqual(["candidate", "allow-list"]);
    const isOver = () => world.gateway.document.candidateBp === 1_000 || world.phase === "rolled-back";
    await rollout.until(isOver);
    await world.controller.stop();
    const went = world.phase === "rolled-back" ? `stopped by ${world.stored?.rollout.cause?.gate}` : "goes on";
    expect(went.replace("[billing]", "")).toBe(outcome);
  });

  it.each([
    ["flips on two phrasings, asked again too", 2, "stopped by lambda"],
    ["flips on one phrasing once it was asked again", 1, "goes on"],
  ] as const)("ST-6: at 50 %% no sink is posted to, probes go on, and a question that %s: %s", async (...row) => {
    const [, again, outcome] = row;
    const signer = await webhookSigner([createSharedSecret()]);
    const partner = { id: "partner", url: "https://partner.test/", dedupesById: false, signer };
    const sink = { ...partner, id: "sink" };
    const roles = (percent: number) =>
      recipientsOf("candidate", partner, { endpoint: sink, candidateBp: bp(percent * 100) }).map(({ role }) => role);
    expect([roles(25), roles(49.99), roles(50)]).toEqual([["partner", "sink"], ["partner", "sink"], ["partner"]]);
    expect(recipientsOf("candidate", partner, null).map(({ role }) => role)).toEqual(["partner"]);
    const last = planOf({ preset: "canary-serverless" }).stages.slice(-3);
    expect(last.map((stage) => ("candidateBp" in stage ? stage.candidateBp : stage.kind))).toEqual([
      5_000,
      "probes",
      "watch",
    ]);
    const probe = (run: number) =>
      run === 0 ? aProbeReport({ candidate: { flips: 2 } }) : aProbeReport({ candidate: { flips: again }, repeats: 4 });
    expect(await outcomeOf({ preset: "canary-serverless", steps: `[{ probes: true }, { weight: 50 }]`, probe })).toBe(
      outcome,
    );
  });

  it.each([
    ["schema-violation", { probe: aProbeReport({ candidate: { schemaViolations: 1 } }) }],
    ["coverage", { probe: aProbeReport({ candidate: { coverage: 0.69 } }) }],
    ["delta-s", { probe: aProbeReport({ candidate: { median: 0.46 } }) }],
    ["lambda", { probe: aProbeReport({ candidate: { convergent: 0.94, states: { "→": 94, "=": 6 } } }) }],
    ["parity", { health: (arm: string) => (arm === "candidate" ? { METRIC: "l2" } : {}) }],
    ["cache-collision", { candidate: { counters: { cacheCollisions: 1 } } }],
    ["error-rate-rel", { stable: { classes: { [HEADERS]: 0.01 } }, candidate: { classes: { [HEADERS]: 0.02 } } }],
    ["new-error-class", { candidate: { classes: { [HEADERS]: 0.02 } } }],
    ["p95-warm", { candidate: { slower: 1.3 } }],
    ["cache-hit-drop", { candidate: { cacheHits: 740 } }],
    ["peak-hour", {}],
  ] as const)("GQ-33: the failed target %s alone blocks promotion", async (gate, release) => {
    const steps = gate === "peak-hour" ? at(50) : "[{ probes: true }, { weight: 25, hold: 1s }]";
    const rollout = await started({ preset: "canary-serverless", steps, ...release } as Release);
    const { world } = rollout;
    await rollout.until(() => world.phase === "promoted", 100);
    await world.controller.stop();
    const { cause, verdicts } = world.stored?.rollout ?? {};
    const blocking = verdicts?.filter(({ kind }) => kind !== "pass").map((verdict) => verdict.gate);
    expect(world.phase).not.toBe("promoted");
    expect(world.gateway.adopted.some(([, , candidateBp]) => candidateBp === 10_000)).toBe(false);
    expect([cause?.gate, ...(blocking ?? [])]).toContain(gate);
  });
});

describe("shaping-strict", () => {
  const STEPS = [1, 5, 25, 50];
  const PROBES = "{ probes: true }";

  it("ST-9: climbs 1, 5, 25, 50 and 100 %", async () => {
    const { stages } = planOf({ preset: "shaping-strict" });
    const shares = stages.flatMap((stage) => (stage.kind === "traffic" ? [stage.candidateBp / 100] : []));
    expect([...shares, stages.at(-1)?.kind]).toEqual([...STEPS, "watch"]);
  });

  it.each(
    STEPS.flatMap((weight) => [
      [weight, "5xx", "five-xx-delta", { candidate: { classes: { [HEADERS]: 0.05 } } }] as const,
      [weight, "p95", "p95-equal-load", { candidate: { slower: 1.2 } }] as const,
      [weight, "queue age", "queue-age-slope", { candidate: { queueAgeMs: (second: number) => 9 * second } }] as const,
      [weight, "ΔS", "delta-s", { probe: aProbeReport({ candidate: { median: 0.45 } }) }] as const,
    ]),
  )("ST-9: the step at %i %% waits for flat %s", async (weight, what, gate, release) => {
    const steps = what === "ΔS" ? `[${PROBES}, { weight: ${weight}, hold: 1s }]` : at(weight);
    const outcome = await outcomeOf({ preset: "shaping-strict", steps, ...release } as Release);
    expect(outcome).not.toBe("goes on");
    expect(outcome).toContain(gate);
  });
});

describe("the symptoms people come with", () => {
  const under = (more: Partial<Release>): Release => ({ preset: "strictest", steps: at(25), ...more });

  it.each([
    ["5xx answers jump", /error|5xx/, under({ candidate: { classes: { [HEADERS]: 0.2 } } })],
    ["p95 jumps", /p95/, under({ candidate: { slower: 2 }, steps: "[{ weight: 25, hold: 90s }]", quarters: 400 })],
    ["jobs run twice", /duplicate-effect/, under({ candidate: { counters: { duplicateEffects: 1 } } })],
    ["streams are cut", /error/, under({ candidate: { classes: { "body|network|ECONNRESET": 0.1 } } })],
    ["schemas are mixed", /parity/, under({ health: (arm) => (arm === "candidate" ? { EMBED_SCHEMA: "e2" } : {}) })],
  ] as const)("RP-11: %s: stopped by %s", async (_, gate, release) => {
    const outcome = await outcomeOf(release);
    expect(outcome).toMatch(/^stopped by /);
    expect(outcome).toMatch(gate);
  });

  it("RP-11: a canary that was healthy and collapses at 25 to 50 % goes back, and never gets to all users", async () => {
    const rollout = await started({
      preset: "canary-serverless",
      steps: "[{ weight: 5, hold: 2s }, { weight: 25, hold: 9s }]",
      candidate: (second) => (second > 7 ? { classes: { [HEADERS]: 0.3 } } : {}),
    });
    const { world } = rollout;
    await rollout.until(() => world.phase === "rolled-back", 200);
    await world.controller.stop();
    const shares = world.gateway.adopted.map(([, , candidateBp]) => candidateBp);
    expect([world.phase, shares.includes(2_500), shares.at(-1)]).toEqual(["rolled-back", true, 0]);
    expect(Math.max(...shares)).toBe(2_500);
  });
});

describe("failover-drill", () => {
  const burst = (seconds: number, share = 0.5): Release => ({
    preset: "failover-drill",
    steps: "[{ weight: 50, hold: 100s }]",
    candidate: (second) => (second >= 10 && second < 10 + seconds ? { classes: { [HEADERS]: share } } : {}),
    quarters: 450,
  });

  it("GQ-23: a burst of 5xx answers of 50 s is forgiven, one of 70 s stops", async () => {
    expect(await outcomeOf(burst(50))).toBe("goes on");
    expect(await outcomeOf(burst(70))).toBe("stopped by five-xx-burst");
  });

  it("GQ-23: 5 % of 5xx answers for 70 s are no burst, 6 % are one", async () => {
    expect(await outcomeOf(burst(70, 0.05))).toBe("goes on");
    expect(await outcomeOf(burst(70, 0.06))).toBe("stopped by five-xx-burst");
  });
});

/** What a change of each kind cannot go out without, whatever the document's gates are. */
const NEEDED: Readonly<Record<(typeof CHANGE_TYPES)[number], readonly string[]>> = {
  code: ["error-rate"],
  config: ["error-rate", "parity"],
  secrets: ["error-rate", "new-error-class"],
  prompt: ["error-rate", "coverage", "lambda", "schema-violation"],
  "prompt-schema": ["error-rate", "coverage", "lambda", "schema-violation"],
  model: ["error-rate", "p95-warm", "coverage", "lambda", "delta-s", "schema-violation"],
  provider: ["error-rate", "p95-warm", "coverage", "lambda", "schema-violation", "cold-share"],
  index: ["error-rate", "parity", "coverage", "delta-s", "lambda"],
  retriever: ["error-rate", "parity", "coverage", "delta-s", "lambda"],
  reranker: ["error-rate", "parity", "coverage", "delta-s", "lambda"],
  analyzer: ["error-rate", "parity", "coverage", "delta-s", "lambda"],
  store: ["error-rate", "parity", "coverage", "delta-s", "lambda"],
  "tool-contract": ["error-rate", "schema-violation", "tool-loop"],
  region: ["error-rate", "parity", "cold-share"],
  "cache-strategy": ["error-rate", "cache-hit-drop", "cache-collision"],
};

describe("what changes", () => {
  it.each(Object.entries(NEEDED))("GQ-37: a change of %s is judged by %j", (type, gates) => {
    const plan = planOf({ preset: "failover-drill", more: `  changeTypes: [${type}]\n` });
    expect(plan.gates.map(({ gate }) => gate)).toEqual(expect.arrayContaining([...gates]));
  });

  it("GQ-37: a change that needs no more than its preset gets no more", () => {
    const kinds = (more: string) => planOf({ preset: "default", more }).gates.map(({ gate }) => gate);
    expect(Object.keys(NEEDED)).toEqual([...CHANGE_TYPES]);
    expect(kinds("  changeTypes: [index]\n")).toEqual(kinds(""));
    expect(kinds("  changeTypes: [tool-contract]\n")).toContain("tool-loop");
    expect(kinds("")).not.toContain("tool-loop");
  });
});
