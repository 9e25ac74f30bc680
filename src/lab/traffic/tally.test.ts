import { describe, expect, it } from "vitest";
import { provenanceOf } from "./answer-headers.ts";
import { type TrafficAnswer, tally } from "./tally.ts";

function anAnswer(given: Partial<TrafficAnswer>): TrafficAnswer {
  return {
    user: "user-1",
    isStreaming: false,
    sentAtEpochMs: 1000,
    latencyMs: 60,
    status: 200,
    body: "whole",
    arm: "stable",
    document: { epoch: 1, seq: 1 },
    candidateBp: 1000,
    isGatewayMade: false,
    isColdStart: false,
    release: "r-1",
    isCrossed: false,
    ...given,
  };
}

function summed(...answers: readonly Partial<TrafficAnswer>[]) {
  const counts = tally();
  for (const answer of answers) {
    counts.sent(answer.user ?? "user-1", 0);
    counts.add(anAnswer(answer));
  }
  return counts.summary();
}

describe("provenanceOf", () => {
  it("reads arm, document, share and origin", () => {
    const headers = {
      "x-sluice-arm": "candidate",
      "x-sluice-doc": "3.12",
      "x-sluice-split": "1000",
      "x-sluice-origin": "gateway",
      "x-cold-start": "1",
      "x-release-id": "green",
      "x-cached-by": "blue",
    };
    expect(provenanceOf(headers)).toEqual({
      arm: "candidate",
      document: { epoch: 3, seq: 12 },
      candidateBp: 1000,
      isGatewayMade: true,
      isColdStart: true,
      release: "green",
      isCrossed: true,
    });
    expect(provenanceOf({ "x-release-id": "green", "x-cached-by": "green" })).toMatchObject({ isCrossed: false });
  });

  it("is null for what is missing or unreadable, never a guess", () => {
    const nothing = {
      arm: null,
      document: null,
      candidateBp: null,
      isGatewayMade: false,
      isColdStart: false,
      release: null,
      isCrossed: false,
    };
    expect(provenanceOf({})).toEqual(nothing);
    const headers = {
      "x-sluice-arm": "green",
      "x-sluice-doc": "3",
      "x-sluice-split": "10001",
      "x-sluice-origin": ["gateway"],
    };
    expect(provenanceOf(headers)).toEqual(nothing);
    expect(provenanceOf({ "x-sluice-doc": "a.b", "x-sluice-split": "-1" })).toEqual(nothing);
  });
});

describe("tally", () => {
  it("counts as the router's failure what it made itself at 500 and above, and what got no answer", () => {
    const made = { isGatewayMade: true, arm: null } as const;
    expect(
      summed({ ...made, status: 502 }, { ...made, status: 403 }, { status: null, body: "none", arm: null })
        .failedByRouter,
    ).toBe(2);
  });

  it("does not count errors passed through or bodies cut by an upstream as the router's", () => {
    const summary = summed({ status: 503, arm: "candidate" }, { body: "cut", arm: "candidate" });
    expect(summary).toMatchObject({ failedByRouter: 0, cutBodies: 1, candidateRequests: 2 });
    expect(summary.byArm.candidate).toMatchObject({ statuses: { 200: 1, 503: 1 }, cutBodies: 1, latencyMsP95: null });
  });

  it("counts by the release that answered, whatever the arms stand for, and what came out of another one's cache", () => {
    const summary = summed(
      { release: "green", sentAtEpochMs: 30 },
      { release: "blue", sentAtEpochMs: 20 },
      { release: "green", sentAtEpochMs: 10, isCrossed: true },
      { release: null },
    );
    expect(summary.byRelease).toEqual({
      green: { requests: 2, lastSentAtEpochMs: 30 },
      blue: { requests: 1, lastSentAtEpochMs: 20 },
    });
    expect(summary.crossedCacheReads).toBe(1);
  });

  it("takes first and last candidate request by time of sending, not of arrival", () => {
    const candidate = { arm: "candidate" } as const;
    const summary = summed(
      { ...candidate, sentAtEpochMs: 30 },
      { ...candidate, sentAtEpochMs: 10 },
      { ...candidate, sentAtEpochMs: 20 },
      { sentAtEpochMs: 99 },
    );
    expect(summary).toMatchObject({ firstCandidateSentAtEpochMs: 10, lastCandidateSentAtEpochMs: 30 });
    expect(summed({})).toMatchObject({ firstCandidateSentAtEpochMs: null, lastCandidateSentAtEpochMs: null });
  });

  it("keeps cold starts and failures out of the latency of an arm", () => {
    const answers = Array.from({ length: 100 }, (_, i) => ({ latencyMs: i + 1 }));
    const summary = summed(...answers, { latencyMs: 9000, isColdStart: true }, { latencyMs: 9000, status: 503 });
    expect(summary.byArm.stable).toMatchObject({ requests: 102, coldStarts: 1, latencyMsP50: 50, latencyMsP95: 95 });
  });

  it("counts moves that no weight change explains, and answers without an arm apart", () => {
    const summary = summed(
      {},
      { arm: "candidate" },
      { arm: null, document: null },
      { user: "user-2", body: "unfinished", status: null, arm: null },
    );
    expect(summary).toMatchObject({
      requests: 4,
      answered: 3,
      stickyViolations: 1,
      withoutArm: 1,
      unfinished: 1,
      users: 2,
    });
  });
});
