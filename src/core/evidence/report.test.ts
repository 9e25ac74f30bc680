import { describe, expect, it } from "vitest";
import { aGate, aPlan, aVerdict, after, T0, traffic, watch } from "../../../test/builders.ts";
import { newRollout, type Rollout } from "../rollout/rollout.ts";
import type { RolloutEvent } from "../rollout/event.ts";
import { step } from "../rollout/step.ts";
import { buildReport, type ReportSource } from "./report.ts";

const plan = aPlan({ stages: [traffic(10), watch()], gates: [aGate("error-rate")] });

/** The journal of a rollout told as events, with the entries a controller would have written. */
function journalOf(events: readonly ((rollout: Rollout) => RolloutEvent)[], of = plan): ReportSource {
  let rollout = newRollout(of);
  const entries = events.map((make, index) => {
    const event = make(rollout);
    const { state, orders } = step(rollout, event);
    rollout = state;
    const { phase, stageIndex, candidateBp } = state;
    return { index, event, orders, phase, stageIndex, candidateBp };
  });
  const requests = { stable: 900, candidate: 100 };
  return { plan: of, entries, cause: rollout.cause, reports: [], requests, failures: { stable: 0, candidate: 5 } };
}

const served =
  (ms: number) =>
  (rollout: Rollout): RolloutEvent => ({
    kind: "order-done",
    at: after(ms),
    orderId: rollout.awaiting[0]?.id ?? "none",
    order: "traffic.publish",
    verdicts: [],
  });
const judged =
  (ms: number, kind: "pass" | "fail") =>
  (rollout: Rollout): RolloutEvent => ({
    kind: "judged",
    at: after(ms),
    stageIndex: rollout.stageIndex,
    verdicts: [aVerdict("error-rate", kind)],
    hasAnsweredAlone: true,
  });
const aborted = (ms: number) => (): RolloutEvent => ({
  kind: "commanded",
  at: after(ms),
  command: "abort",
  full: false,
  by: "ann",
  reason: "wrong file",
});
const started = (): RolloutEvent => ({ kind: "started", at: T0 });

describe("buildReport", () => {
  const failing = journalOf([started, served(1_000), judged(3_000, "fail"), served(3_200)]);

  it("RP-1: tells every share change and verdict in order, with times from the start", () => {
    expect(buildReport(failing).timeline.map(({ atMs, text }) => [atMs, text])).toEqual([
      [0, "started"],
      [0, "ordered: set the candidate to 10 %"],
      [3_000, "error-rate fail: error-rate is fail"],
      [3_000, "ordered: set the candidate to 0 %"],
      [3_000, "now rolling-back"],
      [3_200, "now rolled-back"],
    ]);
  });

  it("gives a gate's last word in the state's words, as status does, where its kind is the journal's", () => {
    const newer = { ...aVerdict("error-rate", "fail"), reason: "errors 9 %" };
    const [stage] = buildReport({ ...failing, verdicts: [newer, aVerdict("p95-warm", "pass")] }).verdicts;
    expect(stage).toEqual({ stageIndex: 0, verdict: newer });
    const other = { ...failing, verdicts: [aVerdict("error-rate", "pass")] };
    expect(buildReport(other).verdicts).toEqual(buildReport(failing).verdicts);
  });

  it("names the gate that decided, and none for a promotion", () => {
    expect(buildReport(failing)).toMatchObject({ outcome: "rolled-back", causeGate: "error-rate", durationMs: 3_200 });
    const good = journalOf([
      started,
      served(0),
      judged(10_000, "pass"),
      served(10_100),
      judged(15_200, "pass"),
      served(15_300),
    ]);
    expect(buildReport(good)).toMatchObject({ outcome: "promoted", cause: null, causeGate: null });
  });

  it.each([
    [18_000, 15_000, "(18.0 s): users were on stable after the lease of 15.0 s"],
    [3_000, 15_000, "(3.0 s): users stayed where they were, within the lease of 15.0 s"],
    [18_000, null, "(18.0 s): users stayed where they were, because there is no lease"],
  ])("tells that the controller was away for %i ms, and where users were by a lease of %s ms", (ms, leaseMs, says) => {
    const restarted = (): RolloutEvent => ({
      kind: "controller-restarted",
      at: after(2_000 + ms),
      lastKnownAt: after(2_000),
      leaseMs,
    });
    const { timeline } = buildReport(journalOf([started, served(1_000), restarted]));
    expect(timeline.at(-1)).toMatchObject({
      atMs: 2_000 + ms,
      text: `the controller was away from 2.0 s to ${((2_000 + ms) / 1_000).toFixed(1)} s at most ${says}`,
    });
    const early = buildReport(journalOf([started, restarted])).timeline;
    expect(early.at(-1)?.text).toContain("the controller was away");
  });

  it("says where to look when a gateway did not confirm a share, although no gate failed", () => {
    const unconfirmed = (rollout: Rollout): RolloutEvent => ({
      kind: "order-failed",
      at: after(5_000),
      orderId: rollout.awaiting[0]?.id ?? "none",
      order: "traffic.publish",
      code: "unverified",
      message: "the gateway g1 went away",
    });
    expect(buildReport(journalOf([started, unconfirmed, served(6_000)]))).toMatchObject({
      cause: "the gateway g1 went away",
      causeGate: null,
      lookAt: "the gateway went away; start it, then: sluice retry support-rag-7",
    });
  });

  it("names the person who aborted when no gate failed", () => {
    expect(buildReport(journalOf([started, served(1_000), aborted(2_000), served(2_100)]))).toMatchObject({
      outcome: "aborted",
      cause: "abort by ann: wrong file",
    });
  });

  it("names the person who aborted a second try, as the state does, and not the gate that failed the first", () => {
    const stages = [traffic(10), traffic(50), watch()];
    const retreating = aPlan({ stages, gates: [aGate("error-rate")], onFail: { to: "previous-stage" } });
    const firstTry = [started, served(1_000), judged(12_000, "pass"), served(12_100), judged(14_000, "fail")];
    const events = [...firstTry, served(14_100), aborted(15_000), served(15_100)];
    const source = journalOf(events, retreating);
    expect(source.cause).toMatchObject({ gate: null, text: "abort by ann: wrong file" });
    expect(buildReport(source)).toMatchObject({
      outcome: "aborted",
      cause: "abort by ann: wrong file",
      causeGate: null,
    });
    expect(buildReport(source).timeline.map(({ text }) => text)).toContain("error-rate fail: error-rate is fail");
  });

  it("I24: is the same bytes for the same journal", () => {
    expect(JSON.stringify(buildReport(failing))).toBe(JSON.stringify(buildReport(structuredClone(failing))));
  });

  it("refuses a journal with a gap: evidence that misses a page proves nothing (I10)", () => {
    const entries = failing.entries.filter(({ index }) => index !== 1);
    expect(() => buildReport({ ...failing, entries })).toThrow(/whole journal/);
  });
});
