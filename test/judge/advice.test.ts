import { describe, expect, it } from "vitest";
import { eventLine } from "../../src/cli/format/event-line.ts";
import { reportMarkdown } from "../../src/cli/format/report-markdown.ts";
import { statusWire } from "../../src/controller/status.ts";
import { notesOf } from "../../src/core/rollout/note.ts";
import { EventFeed } from "../../src/controller/event-feed.ts";
import { buildReport } from "../../src/core/evidence/report.ts";
import { startObservations } from "../../src/core/observe/observe.ts";
import type { Rollout } from "../../src/core/rollout/rollout.ts";
import type { StoredRollout } from "../../src/ports/controller-store.ts";
import { GATES } from "../../src/core/judge/gates.ts";
import { aGate, aPlan, after, aVerdict } from "../builders.ts";
import { Story } from "../story.ts";

/** What a person has to look at after each stop, by the word that tells it from every other cause. */
const FIRST_CALLS = "first calls that fail point at boot order, secrets parity and version skew";
const ERROR_LOG = new RegExp(`^its error log; ${FIRST_CALLS}$`);
const CAUSES: Readonly<Record<string, RegExp>> = {
  delta_s_block: /same corpus.*analyzer and metric\?$/,
  delta_s_p95_drift: /same corpus.*analyzer and metric\?$/,
  coverage_low: /same corpus.*analyzer and metric\?$/,
  coverage_topic_low: /sections of that topic/,
  lambda_flip: /prompt and the model version/,
  flip_rate: /prompt and the model version/,
  convergent_share: /retrieves for those questions/,
  probe_errors: /error log.*probes/,
  schema_violation: /response schema and the tool contracts/,
  p95_warm: /where the time goes.*memory and concurrency.*size of stream pieces$/,
  p95_equal_load: /where the time goes.*memory and concurrency.*size of stream pieces$/,
  new_5xx_class: new RegExp(`logs of that status; ${FIRST_CALLS}$`),
  new_error_class: new RegExp(`logs of that error; ${FIRST_CALLS}, a body cut short at memory, concurrency`),
  five_xx_abs: ERROR_LOG,
  five_xx_delta: ERROR_LOG,
  five_xx_burst: /in those seconds/,
  error_rate_abs: ERROR_LOG,
  error_rate_rel: ERROR_LOG,
  shadow_errors: /candidate's own log.*what a copy leaves out/,
  shadow_p95: /where the time goes.*memory and concurrency.*size of stream pieces$/,
  segment_errors: /errors of the named segment/,
  refusals: /prompt's rules and the content filter/,
  empty_answers: /reads the model's reply/,
  truncations: /limit of output tokens/,
  abandoned_streams: /pauses between pieces/,
  thumbs_down: /answers they turned down/,
  regenerations: /answers they had anew/,
  first_token: /queueing at the model's provider/,
  cost_per_answer: /model's price, cached prompts/,
  input_tokens: /sections, turns and examples/,
  output_tokens: /word on length, hidden reasoning/,
  cold_share: /minimum instances/,
  queue_age_slope: /consumers per partition/,
  dedupe_miss: /idempotency keys/,
  duplicate_effect: /effect key and the fence/,
  index_mismatch: /health endpoint states now, and in every region/,
  cache_collision: /cache prefixes of both arms/,
  cache_hit_drop: /warm-up of its namespace/,
  tool_loop: /tool's schema and its timeouts/,
  sticky_violation: /pin by cookie or header/,
  write_loss: /outbox and its dead letters/,
  sample_ratio: /bots and rules before the gateway/,
  metric: /that metric, around the time/,
  custom: /the rule and the numbers/,
  peak_hour: /next peak/,
};

const plain = {
  data: () => {},
  document: () => {},
  say: () => {},
  isInteractive: false,
  paint: (_: unknown, text: string) => text,
};
const ADVICE = GATES.flatMap(({ name, conditions }) =>
  Object.entries(conditions).map(([code, { lookAt }]) => [name, code, lookAt] as const),
);

/** The rollout as the store keeps it, without any traffic. */
function storedAs(rollout: Rollout): StoredRollout {
  return { rollout, observations: startObservations(aPlan({ gates: [] }), []), version: 1, createdAt: after(0) };
}

/** A rollout that a gate stopped by one of its conditions, on its way back and then back. */
function stopped(gate: string, condition: string) {
  const plan = aPlan({ gates: [aGate(gate)] });
  const story = new Story({ gates: [aGate(gate)] });
  if (story.state.phase === "checking") story.done(after(1), [aVerdict(gate, "pass")]);
  story.done(after(2)).judged(after(3), aVerdict(gate, "fail", { condition }));
  return { plan, rolledBack: story.done(after(4)).state };
}

describe("advice", () => {
  it("RB-10: fits its cause, for every stop condition of every gate", () => {
    expect(ADVICE.map(([, code]) => code).toSorted()).toEqual(expect.arrayContaining(Object.keys(CAUSES).toSorted()));
    for (const [gate, code, lookAt] of ADVICE) expect(lookAt, `${gate} ${code}`).toMatch(CAUSES[code] ?? /^$/);
    for (const [gate, code, lookAt] of ADVICE)
      for (const [, other, words] of ADVICE)
        if (words !== lookAt) expect(words, `${gate}: advice of ${other} for ${code}`).not.toMatch(CAUSES[code] ?? /./);
  });

  it.each(ADVICE)(
    "RB-10: comes with every way back, by %s for %s: status, report and watch say it",
    (gate, code, lookAt) => {
      const { plan, rolledBack } = stopped(gate, code);
      expect(rolledBack.phase).toBe("rolled-back");
      const status = statusWire(storedAs(rolledBack), null, [], after(5));
      expect(status.cause?.look_at).toBe(lookAt);
      const feed = new EventFeed(1);
      const notes = notesOf({ ...rolledBack, phase: "progressing", cause: null }, rolledBack, []);
      for (const note of notes) feed.publish(after(3), note);
      const lines = feed.since(0).map(({ ts, event: told }) => eventLine({ ts, ...told }, plain));
      expect(lines).toContainEqual(expect.stringContaining(`look at ${lookAt}`));
      const event = { kind: "started", at: after(0) } as const;
      const line = { index: 0, event, orders: [], phase: rolledBack.phase, stageIndex: 0, candidateBp: 0 };
      const none = { stable: 0, candidate: 0 };
      const report = buildReport({
        plan,
        entries: [line],
        cause: rolledBack.cause,
        reports: [],
        requests: none,
        failures: none,
      });
      expect(report.lookAt).toBe(lookAt);
      expect(reportMarkdown(report).replaceAll("\\", "")).toContain(`**Look at:** ${lookAt}`);
    },
  );
});
