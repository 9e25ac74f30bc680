import { describe, expect, it } from "vitest";
import { after, aGate, aVerdict, probes, traffic, watch } from "../../../test/builders.ts";
import { Story } from "../../../test/story.ts";
import { lookAtOf } from "./look-at.ts";

const pass = aVerdict("error-rate", "pass");
const fail = aVerdict("error-rate", "fail", { reason: "errors 5 % against 0.5 %" });
const unsure = aVerdict("error-rate", "inconclusive", { needs: "about 400 more requests" });

describe("step: the ladder", () => {
  it("walks 10 % -> 50 % -> 100 % -> promoted, each step after its own hold and proof (ST-9)", () => {
    const story = new Story();
    expect(story.orders).toMatchObject([{ port: "traffic", id: "support-rag-7/1/0", args: { candidateBp: 1_000 } }]);
    story.done(after(1_000)).judged(after(10_999), pass);
    expect(story.state.candidateBp).toBe(1_000);
    story.judged(after(11_000), pass);
    expect(story.orders).toMatchObject([{ port: "traffic", args: { candidateBp: 5_000, newEpoch: false } }]);
    story.done(after(12_000)).judged(after(22_000), pass);
    expect(story.orders).toMatchObject([{ args: { candidateBp: 10_000 } }]);
    story.done(after(23_000)).judged(after(28_000), unsure);
    expect(story.orders).toMatchObject([{ port: "traffic", args: { arms: "swap", newEpoch: true } }]);
    story.done(after(28_100));
    expect(story.state).toMatchObject({ phase: "promoted", endedAt: after(28_100) });
  });

  it("never advances on inconclusive, no-data or error, however long it holds (D-7)", () => {
    for (const kind of ["inconclusive", "no-data", "error"] as const) {
      const story = new Story({ stages: [traffic(10, 0, 1e9), watch()] }).done(after(0));
      story.judged(after(1e8), aVerdict("error-rate", kind));
      expect(story.state).toMatchObject({ phase: "progressing", stageIndex: 0, candidateBp: 1_000 });
    }
  });

  it("does not end the watch by its time alone: silence holds it as long again, then a person is asked", () => {
    const story = new Story({ stages: [watch(120_000)], gates: [] }).done(after(0));
    const look = (ms: number) => story.take({ kind: "judged", at: after(ms), stageIndex: 0, verdicts: [] }).state;
    expect(look(239_999)).toMatchObject({ phase: "progressing", candidateBp: 10_000 });
    expect(look(240_000)).toMatchObject({ phase: "waiting", cause: { gate: null } });
    expect(story.state.cause?.text).toContain("nobody has told of an answer of the candidate at 100 %");
    expect(look(1e9).phase).toBe("waiting");
    expect(story.judged(after(1e9)).state.phase).toBe("promoting");
  });

  it("does not advance while a required gate has not spoken", () => {
    const story = new Story({ gates: [aGate("error-rate"), aGate("p95-warm")] }).done(after(0));
    story.judged(after(20_000), pass);
    expect(story.state.stageIndex).toBe(0);
    story.judged(after(20_001), pass, aVerdict("p95-warm", "pass"));
    expect(story.state.stageIndex).toBe(1);
  });

  it("waits for a person at the cap, says what is missing, and goes on by itself when proof arrives", () => {
    const story = new Story().done(after(0)).judged(after(60_000), unsure);
    expect(story.state.phase).toBe("waiting");
    expect(story.state.cause?.text).toContain("about 400 more requests");
    story.judged(after(70_000), pass);
    expect(story.state).toMatchObject({ phase: "progressing", stageIndex: 1 });
  });

  it("proceeds at the cap where the stage says so and records the stage as unproven", () => {
    const loose = { ...traffic(10), onCap: "proceed" } as const;
    const story = new Story({ stages: [loose, watch()] }).done(after(0)).judged(after(60_000), unsure);
    expect(story.state).toMatchObject({ stageIndex: 1, unprovenStages: [0] });
  });
});

describe("step: safety", () => {
  it("sends the candidate to 0 % in one step when a gate fails, in every traffic stage, and closes the arm (I4, RB-8)", () => {
    for (const stageIndex of [0, 1, 2]) {
      const story = new Story().done(after(0));
      for (let index = 0; index < stageIndex; index++)
        story.judged(after(1e5 * (index + 1)), pass).done(after(1e5 * (index + 1)));
      expect(story.state.stageIndex).toBe(stageIndex);
      story.judged(after(1e6), fail);
      expect(story.state).toMatchObject({ phase: "rolling-back", candidateBp: 0, cause: { gate: "error-rate" } });
      expect(story.orders).toMatchObject([
        { port: "traffic", args: { candidateBp: 0, closed: ["candidate"], newEpoch: true } },
      ]);
      expect(story.done(after(1e6 + 200)).state.phase).toBe("rolled-back");
    }
  });

  it("fires the fuse before the hold is over and before the share is confirmed", () => {
    expect(new Story().judged(after(1), fail).state.phase).toBe("rolling-back");
  });

  it("fires the fuse while paused", () => {
    const story = new Story().done(after(0)).command(after(1), "pause").judged(after(2), fail);
    expect(story.state.phase).toBe("rolling-back");
  });

  it("ignores a failing verdict about a stage it already left", () => {
    const story = new Story().done(after(0)).judged(after(20_000), pass);
    story.take({ kind: "judged", at: after(20_001), stageIndex: 0, verdicts: [fail] });
    expect(story.state.phase).toBe("progressing");
  });

  it("names the first gate in the order of causes when several fail together", () => {
    const gates = [aGate("error-rate"), aGate("p95-warm"), aGate("parity")];
    const story = new Story({ gates }).done(after(0), [aVerdict("parity", "pass")]).done(after(1));
    story.judged(after(2), aVerdict("p95-warm", "fail"), aVerdict("parity", "fail"), fail);
    expect(story.state.cause?.gate).toBe("parity");
  });

  it("ends without touching traffic when identity differs before anything was ordered (SL-5)", () => {
    const story = new Story({ gates: [aGate("parity")] });
    expect(story.orders).toMatchObject([{ port: "health" }]);
    story.done(after(5), [aVerdict("parity", "fail")]);
    expect(story.state).toMatchObject({ phase: "rolled-back", splitOrdered: false, cause: { gate: "parity" } });
    expect(story.orders).toEqual([]);
  });

  it("asks again every 5 s while identity cannot be read, and never counts that as a failure", () => {
    const story = new Story({ gates: [aGate("parity")] }).failed(after(100), "unreachable");
    expect(story.state.phase).toBe("checking");
    expect(story.take({ kind: "tick", at: after(5_000) }).orders).toEqual([]);
    expect(story.take({ kind: "tick", at: after(5_100) }).orders).toMatchObject([{ port: "health" }]);
  });

  it("moves nothing on an identity that could not be measured: error and no-data hold (D-7)", () => {
    for (const kind of ["error", "no-data", "inconclusive"] as const) {
      const story = new Story({ gates: [aGate("parity")] }).done(after(5), [aVerdict("parity", kind)]);
      expect(story.state).toMatchObject({ phase: "checking", splitOrdered: false });
      expect(story.orders).toEqual([]);
    }
  });

  it("rolls back when the data plane does not confirm a share", () => {
    const story = new Story().failed(after(5_000));
    expect(story.state).toMatchObject({ phase: "rolling-back", cause: { gate: null, text: "no answer" } });
    expect(lookAtOf(story.state.cause)).toBe("the gateway went away; start it, then: sluice retry support-rag-7");
    const refused = new Story().failed(after(5_000), "refused");
    expect(lookAtOf(refused.state.cause)).toMatch(/^why the gateway refused it/);
    expect(new Story().failed(after(5_000), "rejected").state.cause?.text).toBe(
      "traffic.publish failed (rejected): no answer",
    );
  });

  it("keeps ordering the rollback until it is confirmed, and says rollback-failed after its deadline", () => {
    const story = new Story().judged(after(0), fail).failed(after(60_000));
    expect(story.state.phase).toBe("rolling-back");
    expect(story.orders).toMatchObject([{ port: "traffic", args: { candidateBp: 0, closed: ["candidate"] } }]);
    expect(story.failed(after(120_000)).state.phase).toBe("rollback-failed");
    expect(story.command(after(130_000), "rollback").state.phase).toBe("rolling-back");
  });
});

describe("step: previous-stage", () => {
  const plan = { onFail: { to: "previous-stage" }, stages: [traffic(10), traffic(50), watch()] } as const;

  it("retries a failed stage once from the share before it, with fresh evidence (RB-7)", () => {
    const story = new Story(plan).done(after(0)).judged(after(10_000), pass).done(after(10_100));
    story.judged(after(10_200), fail);
    expect(story.state).toMatchObject({
      phase: "retreating",
      stageIndex: 0,
      candidateBp: 1_000,
      evidenceGeneration: 1,
    });
    expect(story.orders).toMatchObject([{ port: "traffic", args: { candidateBp: 1_000, closed: [], newEpoch: true } }]);
    story.done(after(10_300)).judged(after(20_300), pass);
    expect(story.state).toMatchObject({ phase: "progressing", stageIndex: 1, candidateBp: 5_000 });
  });

  it("goes to stable and freezes on the second failure of one stage (ST-13)", () => {
    const story = new Story(plan)
      .done(after(0))
      .judged(after(10_000), pass)
      .done(after(10_100))
      .judged(after(10_200), fail);
    story.done(after(10_300)).judged(after(20_300), pass).done(after(20_400)).judged(after(20_500), fail);
    expect(story.state).toMatchObject({ phase: "rolling-back", candidateBp: 0, frozen: true });
    expect(story.done(after(20_600)).state.phase).toBe("rolled-back");
  });

  it("goes to stable when the first stage fails: there is no stage before it", () => {
    expect(new Story(plan).done(after(0)).judged(after(1), fail).state).toMatchObject({
      phase: "rolling-back",
      frozen: false,
    });
  });
});

describe("step: probes", () => {
  const plan = { stages: [probes(), traffic(10), watch()], gates: [aGate("coverage"), aGate("error-rate")] };

  it("moves no traffic before the probes pass, then starts the first share", () => {
    const story = new Story(plan);
    expect(story.orders).toMatchObject([{ port: "probe", args: { tier: "full", extraRepeats: 0 } }]);
    story.done(after(9_000), [aVerdict("coverage", "pass")]);
    expect(story.orders).toMatchObject([{ port: "traffic", args: { candidateBp: 1_000 } }]);
  });

  it("adds 2 repetitions once when undecided, then asks a person, who may promote it as unproven", () => {
    const undecided = aVerdict("coverage", "inconclusive");
    const story = new Story(plan).done(after(9_000), [undecided]);
    expect(story.orders).toMatchObject([{ port: "probe", args: { extraRepeats: 2 } }]);
    expect(story.done(after(12_000), [undecided]).state.phase).toBe("waiting");
    expect(story.command(after(13_000), "promote").state).toMatchObject({ stageIndex: 1, unprovenStages: [0] });
  });

  it("waits for what the probes lack, never for users whom a probe stage does not have", () => {
    const gates = [aGate("sample-ratio"), aGate("error-rate"), aGate("coverage")];
    const silent = [aVerdict("sample-ratio", "no-data"), aVerdict("p95-warm", "no-data")];
    const undecided = aVerdict("coverage", "inconclusive", { reason: "coverage 0.65 is under 0.7" });
    const story = new Story({ ...plan, gates }).judged(after(1), ...silent).done(after(2), [undecided]);
    story.judged(after(3), ...silent).done(after(4), [undecided]);
    expect(story.state).toMatchObject({
      phase: "waiting",
      cause: { gate: "coverage", text: expect.stringContaining("coverage 0.65 is under 0.7") },
    });
  });

  it("ends rolled back without a share when a topic fails, naming it", () => {
    const story = new Story(plan).done(after(1), [aVerdict("coverage", "pass"), aVerdict("coverage[billing]", "fail")]);
    expect(story.state).toMatchObject({ phase: "rolled-back", cause: { gate: "coverage[billing]" }, candidateBp: 0 });
  });

  it("waits for a person when the target cannot be probed, and asks again on resume", () => {
    const story = new Story(plan).failed(after(1), "unreachable");
    expect(story.state).toMatchObject({ phase: "waiting", cause: { gate: null } });
    expect(story.command(after(2), "resume").orders).toMatchObject([{ port: "probe" }]);
  });
});

describe("step: commands", () => {
  it("does not count a pause into the hold", () => {
    const story = new Story().done(after(0)).command(after(4_000), "pause").judged(after(50_000), pass);
    expect(story.state.stageIndex).toBe(0);
    story.command(after(54_000), "resume").judged(after(59_999), pass);
    expect(story.state.stageIndex).toBe(0);
    expect(story.judged(after(60_000), pass).state.stageIndex).toBe(1);
  });

  it("skips the rest of the hold on promote, and goes to 100 % on promote --full", () => {
    expect(new Story().done(after(0)).command(after(1), "promote").state).toMatchObject({
      stageIndex: 1,
      unprovenStages: [0],
    });
    expect(new Story().done(after(0)).command(after(1), "promote", true).state).toMatchObject({ stageIndex: 2 });
  });

  it("never promotes past a failed gate", () => {
    const story = new Story().done(after(0)).judged(after(1), fail).command(after(2), "promote", true);
    expect(story.state.phase).toBe("rolling-back");
  });

  it("ends aborted on abort, and a second abort or rollback changes nothing (D-8)", () => {
    const story = new Story().done(after(0)).command(after(1), "abort").done(after(2));
    expect(story.state.phase).toBe("aborted");
    const ended = story.state;
    expect(story.command(after(3), "abort").command(after(4), "rollback").state).toEqual(ended);
    expect(story.orders).toEqual([]);
  });

  it("takes back a promotion on rollback, with only the old arm's artefacts (RB-4)", () => {
    const story = new Story({ stages: [watch()], gates: [] }).done(after(0)).judged(after(5_000)).done(after(5_100));
    expect(story.state.phase).toBe("promoted");
    story.command(after(9_000), "rollback");
    expect(story.orders).toMatchObject([
      { port: "traffic", args: { arms: "both", candidateBp: 0, closed: ["candidate"] } },
    ]);
    expect(story.done(after(9_100)).state.phase).toBe("rolled-back");
  });

  it("ignores the late result of work it no longer waits for", () => {
    const story = new Story();
    const late = story.state.awaiting[0]?.id ?? "";
    story.command(after(1), "abort");
    const state = story.state;
    story.take({ kind: "order-done", at: after(2), orderId: late, order: "traffic.publish", verdicts: [] });
    expect(story.state).toEqual(state);
  });
});
