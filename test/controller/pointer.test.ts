import { afterEach, describe, expect, it } from "vitest";
import { readReport } from "../../src/cli/commands/report.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import { stagesOfPace } from "../../src/core/stage/pace.ts";
import { planPace } from "../../src/spec/pace-document.ts";
import { probes, traffic, watch } from "../builders.ts";
import { shortPlan, World } from "./world.ts";

let world: World;
afterEach(() => world.controller.stop());

const STABLE = "http://127.0.0.1:4001/answer";
const asked = { full: false, by: "ann", reason: "" };

const arm = (port: number, name: string): RolloutPlan["arms"]["stable"] => ({
  releaseId: name,
  url: `http://127.0.0.1:${port}/answer`,
  endpoints: [`http://127.0.0.1:${port}`],
  cachePrefix: `${name}:`,
  healthUrl: `http://127.0.0.1:${port}/healthz/ready`,
  answerUrl: null,
});

/** A rollout from one port to another; each port is a release of its own. */
function plan(name: string, from: number | "current", to: number, over: Partial<RolloutPlan> = {}): RolloutPlan {
  const claim = from === "current" ? null : { url: `http://127.0.0.1:${from}/answer`, release: null };
  const stable = arm(from === "current" ? 4001 : from, `r${from}`);
  const document = { rolloutId: name, documentDigest: `sha256:${name}`, claim };
  return shortPlan({ ...document, arms: { stable, candidate: arm(to, `r${to}-${name}`) }, ...over });
}

async function start(): Promise<void> {
  world = await new World(memoryStore()).open();
  for (const port of [4001, 4002, 4003, 4004]) world.releases[port] = `release-${port}`;
  await world.run(2);
}

const phaseOf = (name: string) => world.controller.rollout(name)?.rollout.phase;
const apply = (given: RolloutPlan) => world.controller.apply(given);
const command = (name: string, verb: "abort" | "rollback" | "promote") =>
  world.controller.command(name, { ...asked, command: verb });
const urlNow = () => world.controller.pointers.of("support-rag")?.url;

async function promoted(given: RolloutPlan): Promise<void> {
  expect(await apply(given)).toMatchObject({ kind: "accepted" });
  await world.run(60);
  expect(phaseOf(given.rolloutId)).toBe("promoted");
}

describe("the service pointer", () => {
  it("is made by the first split that a data plane adopts, not by the document that names it", async () => {
    await start();
    await apply(plan("q1", 4001, 4002));
    expect(urlNow()).toBeUndefined();
    await world.run(8);
    expect(world.controller.pointers.of("support-rag")).toMatchObject({
      url: STABLE,
      reported: "release-4001",
      epoch: 1,
      region: "default",
      since: { process: "q1", generation: 1 },
    });
  });

  it("RB-4: moves to the candidate with the document that promotes it, and back with the rollback of that promotion", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    expect(world.controller.pointers.of("support-rag")).toMatchObject({
      url: "http://127.0.0.1:4002/answer",
      reported: "release-4002",
      epoch: world.hub.current("support-rag")?.epoch,
    });
    await command("q1", "rollback");
    await world.run(4);
    expect([phaseOf("q1"), urlNow()]).toEqual(["rolled-back", STABLE]);
    const history = await world.controller.pointers.history("support-rag");
    expect(history.map(({ cause, version }) => [version, cause])).toEqual([
      [1, "created"],
      [2, "promoted"],
      [3, "rolled-back"],
    ]);
  });

  it("stays where it is over an abort, a failed rollout and a restart", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const before = world.controller.pointers.of("support-rag");
    await apply(plan("q2", "current", 4003, { stages: [traffic(20, 600_000), watch()] }));
    await world.run(8);
    await command("q2", "abort");
    await world.run(4);
    expect(phaseOf("q2")).toBe("aborted");
    world.gateway.failureShare = 1;
    await apply(plan("q3", "current", 4003));
    await world.run(40);
    expect(phaseOf("q3")).toBe("rolled-back");
    await world.controller.stop();
    await world.open();
    expect(world.controller.pointers.of("support-rag")).toEqual(before);
  });

  it("is made again from what a gateway serves where the store is from before there were pointers", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const store = { ...world.store, pointers: () => Promise.resolve([]) };
    await world.controller.stop();
    const fresh = memoryStore();
    const { commit } = fresh;
    await world.open((options) => ({
      ...options,
      store: { ...store, commit: ({ owner: _owner, ...change }) => commit(change) },
    }));
    await world.run(1);
    expect(urlNow()).toBe("http://127.0.0.1:4002/answer");
  });
});

describe("what a document says of stable", () => {
  it("is refused where it differs: what is served, since when, what to write; and nothing is published", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const document = world.hub.current("support-rag");
    const answer = await apply(plan("q2", 4001, 4003));
    expect(answer).toMatchObject({ kind: "refused", code: "conflict" });
    const { message } = answer as { message: string };
    expect(message).toContain("says stable is http://127.0.0.1:4001/answer");
    expect(message).toContain("serves http://127.0.0.1:4002/answer (release release-4002), since rollout q1 at 2");
    expect(message).toContain("stable: current");
    expect(message).toContain("sluice service adopt support-rag --url");
    await world.run(8);
    expect(world.hub.current("support-rag")).toEqual(document);
  });

  it("is taken where it is the same place, or `current`; its cache prefix stays the one in use", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const inUse = world.gateway.document?.arms.stable;
    await apply(plan("q2", "current", 4003, { stages: [traffic(20, 600_000), watch()] }));
    await world.run(8);
    expect(world.gateway.document).toMatchObject({ arms: { stable: inUse }, candidateBp: 2_000 });
  });

  it("is refused where it names another release than the one at that address", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const claim = (release: string) => ({ url: "http://127.0.0.1:4002/answer", release });
    const wrong = plan("q2", 4002, 4003, { claim: claim("release-9") });
    expect(await apply(wrong)).toMatchObject({ kind: "refused", code: "conflict" });
    expect(await apply(plan("q2", 4002, 4003, { claim: claim("release-4002") }))).toMatchObject({ kind: "accepted" });
  });

  it("is a moved address where that reports the pointer's release: taken and written into the history", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    world.releases[4004] = "release-4002";
    expect(await apply(plan("q2", 4004, 4003))).toMatchObject({ kind: "accepted" });
    expect(urlNow()).toBe("http://127.0.0.1:4004/answer");
    expect((await world.controller.pointers.history("support-rag")).at(-1)).toMatchObject({ cause: "moved-address" });
  });

  it("does not count for a service that has had no split; a first one needs an address", async () => {
    await start();
    const nowhere = plan("q1", "current", 4002);
    const arms = { ...nowhere.arms, stable: { ...nowhere.arms.stable, endpoints: [] } };
    const answer = await apply({ ...nowhere, arms });
    expect(answer).toMatchObject({ kind: "refused", message: expect.stringContaining("startsFrom") });
    expect(await apply(plan("q1", "current", 4002))).toMatchObject({ kind: "accepted" });
  });

  it("may put the next release where users were before the first rollout, and not the first one", async () => {
    await start();
    const same = await apply(plan("q0", 4001, 4001));
    expect(same).toMatchObject({ kind: "refused", message: expect.stringContaining("before the first rollout") });
    await promoted(plan("q1", 4001, 4002));
    expect(await apply(plan("q2", "current", 4001))).toMatchObject({ kind: "accepted" });
  });

  it("may not be what is already served as the candidate", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const answer = await apply(plan("q2", "current", 4002));
    expect(answer).toMatchObject({ kind: "refused", message: expect.stringContaining("serves already") });
  });
});

describe("the same document again", () => {
  it("changes nothing after a promotion: users stay where they are", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const document = world.hub.current("support-rag");
    expect(await apply(plan("q1", 4001, 4002))).toMatchObject({
      kind: "unchanged",
      rollout: { phase: "promoted" },
      note: null,
    });
    await world.run(8);
    expect(world.hub.current("support-rag")).toEqual(document);
  });

  it("says where users are by now when a later rollout moved them on, and how to release this one once more", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    await promoted(plan("q2", "current", 4003));
    const answer = await apply(plan("q1", 4001, 4002));
    const note = expect.stringMatching(/users have release-4003 at .*4003.* since rollout q2 .*sluice retry q1$/);
    expect(answer).toMatchObject({ kind: "unchanged", rollout: { phase: "promoted" }, note });
    await world.run(8);
    expect(urlNow()).toContain("4003");
  });

  it("changes nothing after an abort either, and a retry begins a generation of it", async () => {
    await start();
    await apply(plan("q1", 4001, 4002));
    await world.run(8);
    await command("q1", "abort");
    await world.run(4);
    expect(await apply(plan("q1", 4001, 4002))).toMatchObject({ kind: "unchanged", rollout: { phase: "aborted" } });
    expect(await apply(plan("q1", 4001, 4002, { generation: 2 }))).toMatchObject({ kind: "accepted" });
  });

  it("has a report of its own for each generation: the time of the one before does not count", async () => {
    await start();
    await apply(plan("q1", 4001, 4002));
    await world.run(8);
    await command("q1", "abort");
    await world.run(400);
    await apply(plan("q1", 4001, 4002, { generation: 2 }));
    await world.run(8);
    await command("q1", "abort");
    await world.run(8);
    const entries = await world.controller.journal("q1");
    const stored = world.controller.rollout("q1");
    if (stored === null) throw new Error("the rollout is there");
    const { plan: current, cause } = stored.rollout;
    const answers = { plan: current, cause, entries, observations: stored.observations, reports: [] };
    const report = await readReport("q1", { get: <T>() => Promise.resolve(answers as T) });
    expect(report).toMatchObject({ generation: 2, outcome: "aborted" });
    expect(report.durationMs).toBeLessThan(10_000);
  });

  it("is refused when the candidate is another release now than the one that was judged", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    world.releases[4002] = "release-new";
    const answer = await apply(plan("q1", 4001, 4002));
    expect(answer).toMatchObject({ kind: "refused", code: "conflict" });
    const { message } = answer as { message: string };
    expect(message).toContain("the candidate is now release-new, this rollout judged release-4002");
    expect(message).toContain("sluice retry q1");
    world.releases[4002] = null;
    expect(await apply(plan("q1", 4001, 4002))).toMatchObject({ kind: "refused", code: "target-unreachable" });
  });

  it("says that it cannot tell without a health contract", async () => {
    await start();
    const bare = (): RolloutPlan => {
      const one = plan("q1", 4001, 4002);
      return { ...one, arms: { ...one.arms, candidate: { ...one.arms.candidate, healthUrl: null } } };
    };
    await apply(bare());
    const answer = await apply(bare());
    expect(answer).toMatchObject({ kind: "unchanged", note: expect.stringContaining("nobody can tell") });
  });

  it("is another one when the document or a file it names changed: refused while it runs, a new generation after", async () => {
    await start();
    await apply(plan("q1", 4001, 4002));
    const changed = { documentDigest: "sha256:changed", generation: 2 };
    expect(await apply(plan("q1", 4001, 4002, changed))).toMatchObject({
      kind: "refused",
      code: "conflict",
      message: expect.stringContaining("sluice abort q1"),
    });
    await command("q1", "abort");
    await world.run(4);
    expect(await apply(plan("q1", 4001, 4002, changed))).toMatchObject({ kind: "accepted" });
  });
});

describe("the second rollout of a service", () => {
  it("can be aborted while it has not published a split, although the one before still names the document", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    await apply(plan("q2", "current", 4003, { stages: [probes(), traffic(20), watch()] }));
    await world.run(4);
    expect(phaseOf("q2")).toMatch(/probing|waiting/);
    expect(await command("q2", "abort")).toMatchObject({ kind: "done", rollout: { phase: "aborted" } });
    expect(await apply(plan("q3", "current", 4003))).toMatchObject({ kind: "accepted" });
  });

  it("supersedes the first one only once its split is published, and then a way back of the first is refused", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    await apply(plan("q2", "current", 4003));
    await command("q2", "abort");
    await world.run(1);
    await promoted(plan("q3", "current", 4003));
    expect(await command("q1", "rollback")).toMatchObject({
      kind: "superseded",
      reason: expect.stringContaining("q3"),
    });
    expect(urlNow()).toBe("http://127.0.0.1:4003/answer");
  });
});

describe("a promoted release whose follower went back", () => {
  it("is pointed to a way back that works, never to the rollback of what has gone back itself", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    await apply(plan("q2", "current", 4003));
    await world.run(12); // It has users now.
    await command("q2", "abort");
    await world.run(8);
    expect([phaseOf("q2"), urlNow()]).toEqual(["aborted", "http://127.0.0.1:4002/answer"]);
    const answer = await command("q1", "rollback");
    expect(answer).toMatchObject({ kind: "superseded", reason: expect.stringContaining("service adopt support-rag") });
    expect(JSON.stringify(answer)).not.toContain("sluice rollback");
    expect(JSON.stringify(answer)).toContain(
      "q2 was tried and taken back after it; support-rag serves q1's release; see: sluice service support-rag",
    );
    const order = { url: STABLE, by: "ann", reason: "harm in q1" };
    expect(await world.controller.adopt("support-rag", order)).toMatchObject({ kind: "adopted" });
    expect(urlNow()).toBe(STABLE);
  });
});

describe("sluice service adopt", () => {
  it("sends every user to what was put in place from outside, and the next rollout begins there", async () => {
    await start();
    await promoted(plan("q1", 4001, 4002));
    const order = { url: "http://127.0.0.1:4004/answer", by: "ann", reason: "rebuilt by hand" };
    expect(await world.controller.adopt("support-rag", order)).toMatchObject({ kind: "adopted" });
    await world.run(2);
    expect(world.gateway.document?.arms).toMatchObject({
      stable: { endpoints: ["http://127.0.0.1:4004"] },
      candidate: null,
    });
    expect((await world.controller.pointers.history("support-rag")).at(-1)).toMatchObject({
      cause: "adopted",
      by: "ann",
      reason: "rebuilt by hand",
      pointer: { reported: "release-4004", since: { process: "adopt", generation: null } },
    });
    expect(await world.controller.adopt("support-rag", order)).toMatchObject({ kind: "held" });
    expect(await command("q1", "rollback")).toMatchObject({ kind: "superseded" });
    await promoted(plan("q2", "current", 4003));
  });

  it("is refused while a rollout runs, for a service nobody knows, and where nothing answers", async () => {
    await start();
    const order = (port: number) => ({ url: `http://127.0.0.1:${port}/answer`, by: "ann", reason: "why" });
    expect(await world.controller.adopt("nobody", order(4004))).toMatchObject({ code: "not-found" });
    await promoted(plan("q1", 4001, 4002));
    world.releases[4004] = null;
    expect(await world.controller.adopt("support-rag", order(4004))).toMatchObject({ code: "target-unreachable" });
    await apply(plan("q2", "current", 4003));
    expect(await world.controller.adopt("support-rag", order(4001))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining("sluice abort q2"),
    });
  });

  it("lets each release of the service be paced afresh from the smallest share, and the second be aborted at any of them", async () => {
    const { pace, ladder } = planPace({ soak: 2_000, watch: 1_000 });
    const paced = { pace, stages: stagesOfPace(ladder, false) };
    await start();
    expect(await apply(plan("first", 4001, 4002, paced))).toMatchObject({ kind: "accepted" });
    await world.run(900);
    expect(phaseOf("first")).toBe("promoted");
    for (const [name, quarters, share] of [
      ["second", 20, 10],
      ["third", 160, 100],
    ] as const) {
      expect(await apply(plan(name, "current", 4003, paced))).toMatchObject({ kind: "accepted" });
      await world.run(quarters);
      expect([phaseOf(name), world.gateway.document?.candidateBp]).toEqual(["progressing", share]);
      await world.controller.stop();
      await world.open();
      await command(name, "abort");
      await world.run(20);
      expect([phaseOf(name), world.gateway.document?.candidateBp, urlNow()]).toEqual([
        "aborted",
        0,
        "http://127.0.0.1:4002/answer",
      ]);
    }
  }, 60_000);
});
