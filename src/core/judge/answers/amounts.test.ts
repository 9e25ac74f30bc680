import { describe, expect, it } from "vitest";
import { aGate } from "../../../../test/builders.ts";
import { judgeTold, type Tells } from "../../../../test/judge/told-traffic.ts";
import type { RandomStream } from "../../stats/random.ts";

const cost = [aGate("cost-per-answer", { onNoData: "skip" })];
const log = (random: RandomStream) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
/** Each user has a usual price, answers scatter around it. */
const priced =
  (factor: number): Tells =>
  (arm, trait, random) => ({
    costPerAnswer: 0.01 * Math.exp(trait) * Math.exp(0.5 * log(random)) * (arm === "candidate" ? factor : 1),
  });

describe("an amount of answers", () => {
  it("passes once a ratio beyond the stage's margin is excluded over users", () => {
    const { verdicts } = judgeTold(cost, { tells: priced(1), percent: 50, seconds: 240 });
    expect(verdicts).toMatchObject([{ gate: "cost-per-answer", kind: "pass", threshold: 1.1 }]);
    expect(verdicts[0]?.reason).toMatch(
      /^cost an answer 0\.0\d+ against 0\.0\d+ on stable \((0\.9|1\.0)\dx, mean over users\)/,
    );
  });

  it("holds and asks when a ratio beyond what is tolerated is proven; stops only where the document says so", () => {
    const world = { tells: priced(1.5), percent: 50, seconds: 120 };
    const soft = judgeTold(cost, world);
    expect(soft.verdicts[0]).toMatchObject({ kind: "inconclusive", needs: expect.stringContaining("a person") });
    expect(soft.verdicts[0]?.reason).toContain("beyond 1.1x is proven, so the share is held");
    expect(soft.isStopped).toBe(false);
    const hard = judgeTold([aGate("cost-per-answer", { onHarm: "stop" })], world);
    expect([hard.verdicts[0]?.kind, hard.isStopped]).toEqual(["fail", true]);
  });

  it("calls none of 12 alike candidates dearer", () => {
    const strict = [aGate("cost-per-answer", { harmRatio: 1.0001 })];
    for (let seed = 1; seed <= 12; seed++)
      expect(judgeTold(strict, { tells: priced(1), seconds: 120, seed }).isHarmSaid, `seed ${seed}`).toBe(false);
  });

  it("finds 40 % more within three minutes at 10 %, for each of 4 crowds", () => {
    for (let seed = 1; seed <= 4; seed++)
      expect(judgeTold(cost, { tells: priced(1.4), seconds: 180, seed }).isHarmSaid, `seed ${seed}`).toBe(true);
  });

  it("counts a user who asks all day once: one with dear questions on the candidate proves nothing", () => {
    const gates = [aGate("output-tokens")];
    /** The busiest users ask for long answers, whatever the arm. */
    const tells: Tells = (_arm, trait, random) => ({
      tokensOut: Math.round((trait < 0.02 ? 4_000 : 300) * (0.5 + random())),
    });
    for (let seed = 1; seed <= 8; seed++)
      expect(judgeTold(gates, { tells, seconds: 60, users: 300, seed }).isHarmSaid, `seed ${seed}`).toBe(false);
  });

  it("waits for 100 users of each arm and says how many are missing", () => {
    const { verdicts } = judgeTold(cost, { tells: priced(1), percent: 1, seconds: 20 });
    expect(verdicts[0]).toMatchObject({
      kind: "inconclusive",
      needs: expect.stringMatching(/^\d+ more users of the smaller arm$/),
    });
  });

  it("takes seconds of traffic for users where nobody tells users apart", () => {
    const { verdicts } = judgeTold(cost, { tells: priced(1.6), percent: 50, seconds: 200, hasUnits: false });
    expect(verdicts[0]?.reason).toMatch(/mean over seconds of traffic\): beyond 1\.1x is proven/);
  });

  it("is not watched while neither arm tells, and no pass while one of them does", () => {
    expect(judgeTold(cost, { tells: () => null, seconds: 5 }).verdicts).toEqual([]);
    const alone: Tells = (arm) => (arm === "stable" ? { costPerAnswer: 1 } : null);
    const [verdict] = judgeTold(cost, { tells: alone, seconds: 5 }).verdicts;
    expect(verdict).toMatchObject({
      kind: "inconclusive",
      reason: "cost an answer is told of one arm and not of the candidate",
    });
  });
});
