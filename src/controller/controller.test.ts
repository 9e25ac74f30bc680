import { afterEach, describe, expect, it } from "vitest";
import { shortPlan as plan, World } from "../../test/controller/world.ts";
import { traffic, watch } from "../../test/builders.ts";
import type { TelemetryWindow } from "../core/window/window.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import { statusWire } from "./status.ts";

let world: World;
afterEach(() => world.controller.stop());

describe("the controller", () => {
  it("carries a healthy candidate to 100 % and leaves one document of it as stable", async () => {
    world = await new World().open();
    await world.run(2);
    expect((await world.controller.apply(plan())).kind).toBe("accepted");
    await world.run(60);
    expect(world.phase).toBe("promoted");
    expect(world.hub.current("support-rag")).toMatchObject({
      arms: { stable: { releaseId: "r-candidate" }, candidate: null },
    });
    expect(world.logged).toEqual([]);
    // What caused a step is told before the step: people read a watch from top to bottom.
    const told = world.controller.feed.since(0).map(({ event }) => event);
    const steps = told.flatMap(({ type }, place) => (type === "stage" ? [place] : [])).slice(1);
    expect(steps.length).toBeGreaterThan(0);
    for (const place of steps) expect(told.slice(place, place + 3).map(({ type }) => type)).not.toContain("verdict");
    const splits = world.controller.feed.since(0).flatMap(({ event }) => (event.type === "split" ? [event] : []));
    expect(splits.map(({ epoch, seq, candidate_bp }) => [epoch, seq, candidate_bp])).toEqual([
      [1, 1, 2_000],
      [1, 2, 10_000],
      [2, 1, 0],
    ]);
  });

  it("takes a failing candidate back within two quarters of a second of telemetry, and closes its arm", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    world.gateway.failureShare = 1;
    await world.run(20);
    expect(world.phase).toBe("rolled-back");
    expect(world.hub.current("support-rag")).toMatchObject({ candidateBp: 0, closed: ["candidate"] });
    const stored = world.controller.rollout("support-rag-7");
    expect(stored?.observations.totals.requests.candidate).toBeLessThanOrEqual(20);
    expect(stored?.rollout.cause?.gate).toBe("error-rate");
  });

  it("acts on a failing candidate although another gateway has not adopted the share yet (I4)", async () => {
    world = await new World().open();
    await world.run(2);
    world.gateway.failureShare = 1;
    await world.controller.apply(plan());
    for (let quarter = 0; quarter < 8; quarter++) {
      world.hub.report("support-rag", "g2", { epoch: 0, seq: 0 });
      await world.quarter();
    }
    expect(world.phase).toBe("rolling-back");
    expect(world.stored?.rollout.cause?.gate).toBe("error-rate");
    expect(world.gateway.document).toMatchObject({ candidateBp: 0, closed: ["candidate"] });
    world.hub.report("support-rag", "g2", world.gateway.epochSeq);
    await world.run(2);
    expect(world.phase).toBe("rolled-back");
    expect(world.stored?.observations.totals.requests.candidate).toBe(world.gateway.served.candidate);
  });

  it("RB-7: gives a stage its second try on that try's own traffic: late windows of the first one are not judged", async () => {
    const stages = [traffic(8, 500), traffic(20, 1_000), watch(1_000)];
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages, onFail: { to: "previous-stage" } }));
    Object.assign(world.gateway, { failureShare: 1, failsFromBp: 1_000 });
    for (let quarter = 0; quarter < 80 && world.phase !== "retreating"; quarter++) await world.quarter();
    expect(world.stored?.rollout).toMatchObject({ phase: "retreating", stageIndex: 0, candidateBp: 800 });
    expect(world.gateway.document?.candidateBp).toBe(2_000); // It has still to hear of it, and reports once more.
    await world.quarter();
    expect(world.gateway.lastWindow).toMatchObject({ candidateBp: 2_000, arms: { candidate: { failures: 10 } } });
    world.gateway.failureShare = 0;
    await world.run(60);
    expect(world.stored?.rollout).toMatchObject({
      phase: "promoted",
      failuresByStage: { 1: 1 },
      evidenceGeneration: 1,
    });
  });

  it("RB-7: goes back to the stage before the one that failed, not to the first one", async () => {
    const stages = [traffic(4, 500), traffic(8, 500), traffic(12, 500), traffic(20, 1_000), watch(1_000)];
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages, onFail: { to: "previous-stage" } }));
    Object.assign(world.gateway, { failureShare: 1, failsFromBp: 2_000 });
    for (let quarter = 0; quarter < 160 && world.phase !== "retreating"; quarter++) await world.quarter();
    expect(world.stored?.rollout).toMatchObject({
      phase: "retreating",
      stageIndex: 2,
      candidateBp: 1_200,
      failuresByStage: { 3: 1 },
    });
    world.gateway.failureShare = 0;
    await world.run(120);
    expect(world.phase).toBe("promoted");
    // Up the ladder, one stage back in a new epoch, up again, and the candidate alone in the last one.
    expect(world.gateway.adopted.filter(([epoch]) => epoch > 0)).toEqual([
      [1, 1, 400],
      [1, 2, 800],
      [1, 3, 1_200],
      [1, 4, 2_000],
      [2, 1, 1_200],
      [2, 2, 2_000],
      [2, 3, 10_000],
      [3, 1, 0],
    ]);
  });

  it("counts windows that never came, and those it cannot know of not at all", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 600_000), watch()] }));
    await world.run(4);
    expect(world.stored?.observations.totals.lostWindows).toBe(0);
    world.isGatewayAlive = false;
    await world.run(3);
    world.gateway.waiting = [];
    world.isGatewayAlive = true;
    await world.run(2);
    expect(world.stored?.observations.totals.lostWindows).toBe(3);
  });

  it("ends with no candidate request when METRIC differs undeclared (SL-5, IX-3)", async () => {
    world = await new World().open();
    world.metricOfCandidate = "l2";
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(4);
    expect(world.phase).toBe("rolled-back");
    expect(world.controller.rollout("support-rag-7")?.observations.totals.requests.candidate).toBe(0);
  });

  it("fails a running rollout when an arm changes its identity under it", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 600_000), watch()] }));
    await world.run(8);
    world.metricOfCandidate = "l2";
    await world.run(40);
    expect(world.controller.rollout("support-rag-7")?.rollout.cause?.gate).toBe("parity");
  });

  it("holds while the manifest of an arm cannot be read for longer than three rechecks, and asks a person after the cap", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 60_000, 90_000), watch()] }));
    await world.run(8);
    world.releases[4002] = null;
    const found = () => world.stored?.rollout.verdicts.find(({ gate }) => gate === "parity");
    await world.run(40); // 12 s: two rechecks
    expect(found()?.kind).not.toBe("no-data");
    await world.run(60);
    expect(found()).toMatchObject({ kind: "no-data", reason: expect.stringContaining("ECONNREFUSED") });
    await world.run(120); // Beyond the hold: traffic alone would have gone on.
    expect(world.stored?.rollout).toMatchObject({ phase: "progressing", stageIndex: 0 });
    await world.run(120);
    expect(world.phase).toBe("waiting");
    expect(world.stored?.rollout.cause?.text).toContain("cannot be read");
  }, 60_000);

  it("goes on when a manifest that could not be read answers again, over a restart between", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 60_000, 600_000), watch()] }));
    await world.run(8);
    world.releases[4002] = null;
    await world.run(250);
    expect(world.stored?.rollout).toMatchObject({ phase: "progressing", stageIndex: 0 });
    await world.controller.stop();
    await world.open(); // Over a restart too: the state remembers that nothing was read.
    await world.run(8);
    expect(world.stored?.rollout).toMatchObject({ phase: "progressing", stageIndex: 0 });
    delete world.releases[4002];
    await world.run(30);
    expect(world.stored?.rollout.stageIndex === 1 || world.phase === "promoted").toBe(true);
  }, 60_000);

  it("refuses a second rollout of one service, and one without a gateway", async () => {
    world = await new World().open();
    expect(await world.controller.apply(plan())).toMatchObject({ kind: "refused", code: "no-gateway" });
    await world.run(2);
    await world.controller.apply(plan());
    expect((await world.controller.apply(plan())).kind).toBe("unchanged");
    expect(await world.controller.apply(plan({ rolloutId: "other-1", documentDigest: "x" }))).toMatchObject({
      kind: "refused",
      code: "conflict",
    });
  });

  it("rolls back when the gateway never confirms a share: unknown is not served", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    world.isGatewayAlive = false;
    await world.run(60);
    expect(world.phase).toBe("rolling-back");
    world.isGatewayAlive = true;
    await world.run(4);
    expect(world.phase).toBe("rolled-back");
    expect(world.stored?.rollout.cause).toMatchObject({
      gate: null,
      text: expect.stringMatching(
        /^the gateway g1 went away or did not take the new share: it routes by 0\.0, last heard \d.*\(document 1\.1 of/,
      ),
      lookAt: "the gateway went away; start it, then: sluice retry support-rag-7",
    });
  });

  it("I20: takes a crash of our own for a failed order: tells it, tries again, ends", async () => {
    let reads = 0;
    world = await new World().open((options) => ({
      ...options,
      health: {
        read(url, signal) {
          if (++reads === 3) throw new TypeError("a bug of ours"); // The first two are the look before accepting.
          return options.health.read(url, signal);
        },
      },
    }));
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(80);
    expect(world.phase).toBe("promoted");
    expect(world.logged.filter((line) => line.includes("a bug of ours")).length).toBeGreaterThan(0);
  });

  it("I20: gives a rollback up after its deadline, with few tries, when the data plane cannot be read", async () => {
    world = await new World().open((options) => ({
      ...options,
      traffic: {
        gateway: {
          ...(options.traffic["gateway"] as NonNullable<(typeof options.traffic)[string]>),
          confirm: () => Promise.reject(new TypeError("a bug of ours")),
        },
      },
    }));
    await world.run(2);
    await world.controller.apply(plan({ rollbackWithinMs: 3_000 }));
    await world.run(40);
    expect(world.phase).toBe("rollback-failed");
    expect(world.gateway.document).toMatchObject({ candidateBp: 0, closed: ["candidate"] });
    expect((await world.controller.journal("support-rag-7")).length).toBeLessThan(25);
  });

  it("continues after a restart at any quarter, publishes nothing twice and counts no window twice", async () => {
    for (let restartAt = 1; restartAt <= 24; restartAt += 1) {
      const store = memoryStore();
      world = await new World(store).open();
      await world.run(2);
      await world.controller.apply(plan());
      await world.run(restartAt);
      await world.controller.stop();
      const seen = world.controller.rollout("support-rag-7")?.observations.totals.requests;
      await world.open();
      expect(world.controller.rollout("support-rag-7")?.observations.totals.requests).toEqual(seen);
      await world.run(60);
      expect([restartAt, world.phase]).toEqual([restartAt, "promoted"]);
      const entries = await store.journal("support-rag-7");
      expect(entries.map(({ index }) => index)).toEqual(entries.map((_, index) => index));
      const ordered = entries.flatMap(({ orders }) => orders.map(({ id }) => id));
      expect(new Set(ordered).size).toBe(ordered.length);
      const splits = entries.flatMap(({ orders }) => orders).filter(({ port }) => port === "traffic").length;
      const document = world.hub.current("support-rag");
      expect(document).toMatchObject({ epoch: 2, seq: 1 });
      expect(splits).toBe(3);
      if (restartAt < 24) await world.controller.stop();
    }
  });

  it("journals that it was away while a rollout ran, since the last answer that is stored, and the hold goes on without that time", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 600_000, 900_000), watch()], leaseMs: 15_000 }));
    await world.run(20);
    const seenAt = world.stored?.observations.totals.lastCandidateAt ?? 0;
    const heldBeforeMs = world.clock.wallMs() - (world.stored?.rollout.holdingSince ?? 0);
    await world.controller.stop();
    await world.clock.advance(20_000);
    await world.open();
    const last = (await world.controller.journal("support-rag-7")).at(-1);
    expect(last).toMatchObject({
      event: { kind: "controller-restarted", at: world.clock.wallMs(), lastKnownAt: seenAt, leaseMs: 15_000 },
      orders: [],
      phase: "progressing",
      candidateBp: 2_000,
    });
    expect(world.clock.wallMs() - seenAt).toBeLessThan(21_000);
    const heldMs = world.clock.wallMs() - (world.stored?.rollout.holdingSince ?? 0);
    expect(heldMs).toBeLessThanOrEqual(heldBeforeMs);
    expect(heldMs).toBeGreaterThan(heldBeforeMs - 500); // All but what came after the last stored answer.
    await world.controller.command("support-rag-7", { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(8);
    const { length } = await world.controller.journal("support-rag-7");
    await world.controller.stop();
    await world.open();
    expect(world.phase).toBe("aborted");
    expect(await world.controller.journal("support-rag-7")).toHaveLength(length);
  });

  it("I20: carries out what it accepted, whatever the store cannot read right after", async () => {
    const inner = memoryStore();
    let isAccepted = false;
    const unread = <T>(read: () => Promise<T>) => (isAccepted ? Promise.reject(new Error("no answer")) : read());
    world = await new World({
      ...inner,
      commit: async (change) => {
        const isStored = await inner.commit(change);
        isAccepted ||= change.rollout !== undefined;
        return isStored;
      },
      journal: (rolloutId) => unread(() => inner.journal(rolloutId)),
      units: (rolloutId) => unread(() => inner.units(rolloutId)),
    }).open();
    await world.run(2);
    expect((await world.controller.apply(plan())).kind).toBe("accepted");
    await world.run(60);
    expect(world.phase).toBe("promoted");
  });

  it("takes the same window again for a repetition", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 600_000), watch()] }));
    await world.run(6);
    const before = world.controller.rollout("support-rag-7")?.observations;
    const again = [world.gateway.lastWindow as TelemetryWindow];
    await world.controller.ingest("support-rag", again, { epoch: 1, seq: 1 });
    expect(world.controller.rollout("support-rag-7")?.observations.totals).toEqual(before?.totals);
  });

  it("answers a command about an ended rollout with the reason it changes nothing, and takes back a promotion", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(60);
    const asked = { full: false, by: "ann", reason: "" };
    expect(await world.controller.command("support-rag-7", { ...asked, command: "abort" })).toMatchObject({
      kind: "no-effect",
      reason: expect.stringContaining("sluice rollback support-rag-7"),
    });
    expect(await world.controller.command("nobody", { ...asked, command: "abort" })).toEqual({ kind: "unknown" });
    await world.controller.command("support-rag-7", { ...asked, command: "rollback" });
    await world.run(4);
    expect(world.phase).toBe("rolled-back");
    expect(world.hub.current("support-rag")).toMatchObject({
      arms: { stable: { releaseId: "r-stable" } },
      closed: ["candidate"],
    });
  });

  it("tells watchers of a pause and of its end, and of neither twice", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan({ stages: [traffic(20, 600_000, 900_000), watch()] }));
    await world.run(8);
    const command = (verb: "pause" | "resume") =>
      world.controller.command("support-rag-7", { command: verb, full: false, by: "ann", reason: "" });
    for (const verb of ["pause", "pause", "resume", "resume"] as const) await command(verb);
    const notes = world.controller.feed.since(0).flatMap(({ event }) => (event.type === "note" ? [event.text] : []));
    expect(notes.filter((text) => /^(paused|resumed):/.test(text))).toEqual([
      "paused: nothing is promoted until resumed; failed gates still take the candidate back",
      "resumed: the pause is over",
    ]);
  });

  it("tells where a rollout stands: phase, stage, share, verdicts, what comes next", async () => {
    world = await new World().open();
    await world.run(2);
    await world.controller.apply(plan());
    await world.run(8);
    const stored = world.controller.rollout("support-rag-7");
    if (stored === null) throw new Error("the rollout is there");
    const status = statusWire(
      stored,
      world.hub.current("support-rag"),
      await world.controller.journal("support-rag-7"),
      world.clock.wallMs(),
    );
    expect(status).toMatchObject({
      phase: "progressing",
      stage: { name: "20%" },
      share: { ordered_bp: 2_000 },
      exit_code: null,
    });
    expect(status.next).toMatch(/^holds 20% for \d s more$/);
  });
});
