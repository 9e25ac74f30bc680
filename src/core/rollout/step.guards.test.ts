import { describe, expect, it } from "vitest";
import { after, aGate, aRollout, aVerdict, probes, T0, traffic, watch } from "../../../test/builders.ts";
import { Story } from "../../../test/story.ts";
import { bp } from "../unit.ts";
import type { RolloutEvent } from "./event.ts";
import { compare } from "./order.ts";
import { newRollout, heldMs, type Phase } from "./rollout.ts";
import { step } from "./step.ts";

const pass = aVerdict("error-rate", "pass");
const fail = aVerdict("error-rate", "fail");
const unsure = aVerdict("error-rate", "inconclusive", { reason: "too few", needs: "400 more" });
const coverage = aVerdict("coverage", "pass");

describe("step: events that come too early, too late or twice", () => {
  it.each(["promoted", "rolled-back", "aborted", "rollback-failed"] satisfies Phase[])(
    "I10: nothing but a rollback changes a rollout that is %s",
    (phase) => {
      const awaiting = [{ ...compare(), id: "x" }];
      const rollout = aRollout({ phase, startedAt: T0, endedAt: after(1), holdingSince: T0, awaiting });
      const events: RolloutEvent[] = [
        { kind: "started", at: after(2) },
        { kind: "judged", at: after(1e9), stageIndex: 0, verdicts: [fail] },
        { kind: "judged", at: after(1e9), stageIndex: 0, verdicts: [pass] },
        { kind: "order-done", at: after(2), orderId: "x", order: "health.compare", verdicts: [] },
        { kind: "order-failed", at: after(2), orderId: "x", order: "health.compare", code: "unverified", message: "" },
        { kind: "tick", at: after(1e9) },
      ];
      for (const event of events) expect(step(rollout, event)).toEqual({ state: rollout, orders: [] });
    },
  );

  it("starts once", () => {
    const story = new Story();
    const { state } = story;
    expect(story.take({ kind: "started", at: after(5) }).state).toEqual(state);
    expect(story.orders).toEqual([]);
  });

  it("takes no verdict before the start, while it goes back and while it retreats", () => {
    const pending = { kind: "judged", at: after(1), stageIndex: 0, verdicts: [fail] } as const;
    expect(step(aRollout(), pending).state).toEqual(aRollout());
    for (const phase of ["rolling-back", "retreating"] as const) {
      const rollout = aRollout({ phase, startedAt: T0, rollbackOrderedAt: T0 });
      expect(step(rollout, pending)).toEqual({ state: rollout, orders: [] });
    }
  });

  it("ignores the late failure of work it no longer waits for", () => {
    const story = new Story();
    const of = { orderId: story.state.awaiting[0]?.id ?? "", order: "traffic.publish" };
    const { state } = story.command(after(1), "abort");
    story.take({ kind: "order-failed", at: after(2), ...of, code: "unverified", message: "" });
    expect(story.state).toEqual(state);
  });

  it("numbers its work upwards", () => {
    const story = new Story({ gates: [aGate("parity")] });
    const ids = [story.state.awaiting[0]?.id];
    story.done(after(1), [aVerdict("parity", "pass")]);
    ids.push(story.state.awaiting[0]?.id);
    expect(ids).toEqual(["support-rag-7/1/0", "support-rag-7/1/1"]);
  });

  it("checks identity again only while it waits to, not twice at once", () => {
    const tick = { kind: "tick", at: after(60_000) } as const;
    expect(new Story({ gates: [aGate("parity")] }).take(tick).orders).toEqual([]);
    const held = new Story().done(after(0)).take(tick);
    expect([held.orders, held.state.phase]).toEqual([[], "progressing"]);
  });
});

describe("step: what has to hold before a share grows", () => {
  const loose = { stages: [traffic(10, 0), watch(0)] };

  it("does not grow a share that the data plane has not confirmed, or that a person paused, even without a hold", () => {
    expect(new Story(loose).judged(after(1), pass).state).toMatchObject({ stageIndex: 0, phase: "progressing" });
    const paused = new Story(loose).done(after(0)).command(after(1), "pause").judged(after(2), pass);
    expect(paused.state).toMatchObject({ stageIndex: 0, paused: true });
    expect(new Story(loose).done(after(0)).judged(after(1), pass).state.stageIndex).toBe(1);
  });

  it("does not judge the end twice: a verdict while the promotion is ordered promotes nothing again", () => {
    const story = new Story({ stages: [watch(0)] }).done(after(0)).judged(after(1), pass);
    expect(story.state.phase).toBe("promoting");
    expect(story.judged(after(2), pass).orders).toEqual([]);
  });

  it("still takes a failed gate to heart while the promotion is ordered", () => {
    const story = new Story({ stages: [watch(0)] }).done(after(0)).judged(after(1), pass).judged(after(2), fail);
    expect(story.state).toMatchObject({ phase: "rolling-back", candidateBp: 0 });
  });

  it("grows without any gate after the hold, and says that the stage is unproven", () => {
    const story = new Story({ ...loose, gates: [] }).done(after(0)).judged(after(1));
    expect(story.state).toMatchObject({ stageIndex: 1, unprovenStages: [0] });
  });

  it("asks for probe verdicts only once probes have run, and then for every probe gate", () => {
    const gates = [aGate("error-rate"), aGate("coverage"), aGate("lambda")];
    const story = new Story({ gates, stages: [traffic(5, 0), probes(), traffic(10, 0), watch()] });
    story.done(after(0)).judged(after(1), pass);
    expect(story.state).toMatchObject({ stageIndex: 1, phase: "probing" });
    story.done(after(2), [coverage]).done(after(3)).judged(after(4), pass);
    expect(story.state).toMatchObject({ stageIndex: 2, phase: "progressing" }); // Nothing was heard of lambda.
    expect(story.judged(after(5), pass, aVerdict("lambda", "pass")).state.stageIndex).toBe(3);
  });

  it("takes a verdict on a topic for one of its gate", () => {
    const story = new Story({ stages: [probes(), traffic(10, 0), watch()], gates: [aGate("coverage")] });
    story
      .done(after(0), [aVerdict("coverage[billing]", "pass")])
      .done(after(1))
      .judged(after(2));
    expect(story.state.stageIndex).toBe(2);
  });

  it("does not wait for a gate that is not asked at this share, nor let its last word hold the stage", () => {
    const early = { ...aGate("p95-warm"), within: { fromBp: bp(0), toBp: bp(1_000) } };
    const late = { ...aGate("cold-share"), within: { fromBp: bp(5_000), toBp: bp(10_000) } };
    const story = new Story({
      gates: [aGate("error-rate"), early, late],
      stages: [traffic(10, 0), traffic(20, 0), watch()],
    });
    story.done(after(0)).judged(after(1), pass, aVerdict("p95-warm", "pass"));
    expect(story.state.stageIndex).toBe(1); // `late` was not waited for.
    story.done(after(2)).judged(after(3), pass, aVerdict("p95-warm", "inconclusive"));
    expect(story.state.stageIndex).toBe(2);
  });

  it("goes on without a gate that may be skipped until it speaks", () => {
    const gates = [aGate("error-rate"), aGate("cache-hit-drop", { onNoData: "skip" })];
    expect(new Story({ ...loose, gates }).done(after(0)).judged(after(1), pass).state.stageIndex).toBe(1);
    const heard = new Story({ ...loose, gates }).done(after(0));
    heard.judged(after(1), pass, aVerdict("cache-hit-drop", "inconclusive"));
    expect(heard.state.stageIndex).toBe(0);
  });

  it("says at the cap what is missing: a reason, what it needs, or a gate without a word", () => {
    const textAfter = (...verdicts: Parameters<typeof aVerdict>[2][]) => {
      const story = new Story({ gates: [aGate("error-rate"), aGate("p95-warm")] }).done(after(0));
      story.judged(after(60_000), ...verdicts.map((over) => ({ ...unsure, ...over })));
      return [story.state.phase, story.state.cause?.text, story.state.cause?.gate];
    };
    expect(textAfter({})).toEqual(["waiting", "unproven: too few; needs 400 more", "error-rate"]);
    expect(textAfter({ needs: null })).toEqual(["waiting", "unproven: too few", "error-rate"]);
    expect(textAfter({ kind: "pass" })).toEqual(["waiting", "unproven: a gate has not spoken yet", null]);
  });

  it("keeps the cause of a wait from the moment it began", () => {
    const story = new Story().done(after(0)).judged(after(60_000), unsure);
    expect(story.judged(after(90_000), unsure).state.cause?.at).toBe(after(60_000));
  });
});

describe("step: the way back and the end", () => {
  it("orders the promotion again under a new id when the data plane did not confirm it", () => {
    const story = new Story({ stages: [watch(0)], gates: [] }).done(after(0)).judged(after(1));
    const first = story.orders[0];
    story.failed(after(2));
    expect(story.state.phase).toBe("promoting");
    expect(story.orders).toEqual([{ ...first, id: "support-rag-7/1/2" }]);
  });

  it("moves nobody while a person has paused it, not to the first share either; resumed it compares once more and goes on", () => {
    const identity = aVerdict("parity", "pass");
    const story = new Story({ gates: [aGate("parity")] }).command(after(1), "pause").done(after(2), [identity]);
    expect(story.state).toMatchObject({ phase: "checking", paused: true, splitOrdered: false });
    expect(story.orders).toEqual([]);
    story.command(after(9_000), "resume").take({ kind: "tick", at: after(9_001) });
    expect(story.orders).toMatchObject([{ port: "health" }]);
    expect(story.done(after(9_002), [identity]).orders).toMatchObject([
      { port: "traffic", args: { candidateBp: 1_000 } },
    ]);
  });

  it("ends a pause with the rollout", () => {
    const story = new Story({ stages: [watch(0)], gates: [] }).done(after(0)).judged(after(1));
    story.command(after(2), "pause").done(after(3));
    expect(story.state).toMatchObject({ phase: "promoted", paused: false, pausedAt: null });
    const aborted = new Story().done(after(0)).command(after(1), "pause").command(after(2), "abort");
    expect(aborted.state).toMatchObject({ phase: "rolling-back", paused: false, pausedAt: null });
  });

  it("retreats over probes to the last share before them, with no verdict of the try that failed", () => {
    const stages = [traffic(10, 0), probes(), traffic(50, 0), watch()];
    const story = new Story({ stages, onFail: { to: "previous-stage" }, gates: [aGate("error-rate")] });
    story.done(after(0)).judged(after(1), pass).done(after(2), [coverage]).done(after(3)).judged(after(4), fail);
    expect(story.state).toMatchObject({ phase: "retreating", stageIndex: 0, candidateBp: 1_000, verdicts: [] });
    expect(story.done(after(5)).state).toMatchObject({ phase: "progressing", holdingSince: after(5), pausedAt: null });
  });

  it("goes back to stable, not a share back, when probes fail in the middle of the ladder", () => {
    const stages = [traffic(10, 0), probes(), watch()];
    const story = new Story({ stages, onFail: { to: "previous-stage" }, gates: [aGate("error-rate")] });
    story
      .done(after(0))
      .judged(after(1), pass)
      .done(after(2), [aVerdict("coverage", "fail")]);
    expect(story.state).toMatchObject({ phase: "rolling-back", candidateBp: 0 });
  });

  it("holds a share confirmed during a pause from its confirmation on", () => {
    const story = new Story().command(after(1), "pause").done(after(100));
    expect(story.state).toMatchObject({ holdingSince: after(100), pausedAt: after(100) });
    expect(heldMs(story.state, after(9_000))).toBe(0);
  });
});

describe("a new rollout", () => {
  it("is not paused, holds nothing and has a plan with a stage", () => {
    const rollout = aRollout();
    expect([rollout.paused, heldMs(rollout, after(1e6))]).toEqual([false, 0]);
    expect(() => newRollout({ ...rollout.plan, stages: [] })).toThrow("at least one stage");
  });
});
