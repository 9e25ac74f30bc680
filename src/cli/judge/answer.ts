import { gateLabel } from "../../core/judge/setting.ts";
import { fittingSplit } from "../../core/judge/traffic/sample-ratio.ts";
import { printableLine } from "../../core/printable.ts";
import type { SampleRatio, TraceJudgement } from "../../core/trace/judgement.ts";
import type { Verdict } from "../../core/verdict.ts";
import type { GateAnswer, JudgeAnswer } from "../answer/judge-answer.ts";
import type { Style, Terminal } from "../terminal.ts";

/** Largest exponent that stays finite. */
const LN_MAX = 700;
const STYLES: Readonly<Record<Verdict["kind"], Style>> = {
  pass: "good",
  fail: "bad",
  inconclusive: "warn",
  "no-data": "dim",
  error: "warn",
};

/** The answer as `sluice judge --json` prints it. @source contracts.md "sluice judge" */
export function answerOnWire(judgement: TraceJudgement, isWindows: boolean): JudgeAnswer {
  const { decidedAt, sampleRatio, stage, counts } = judgement;
  return {
    verdict: judgement.kind,
    decided_at_event: decidedAt?.event ?? null,
    decided_at_ts: decidedAt === null ? null : new Date(decidedAt.atMs).toISOString(),
    decided_by: judgement.decidedBy,
    candidate_events_until_decision: judgement.candidateEvents,
    gates: judgement.verdicts.map(verdictOnWire),
    srm:
      sampleRatio === null
        ? null
        : {
            e_value: sampleRatio.lnE === null ? null : Math.exp(Math.min(LN_MAX, sampleRatio.lnE)),
            ok: sampleRatio.ok,
            units: sampleRatio.units,
          },
    not_judged: judgement.notJudged,
    stage:
      stage === null
        ? null
        : { share_bp: stage.candidateBp, hold_s: stage.holdMs / 1_000, held_s: stage.heldMs / 1_000 },
    needs: judgement.needs,
    events: counts.lines,
    late: counts.late,
    malformed: counts.malformed,
    malformed_first: counts.firstMalformed,
    probe_events: counts.probes,
    repeated_windows: isWindows ? counts.repeated : 0,
    repeated_events: isWindows ? 0 : counts.repeated,
    skipped: counts.skipped,
    unread: counts.unread,
    lost_windows: counts.lost,
  };
}

function verdictOnWire(verdict: Verdict): GateAnswer {
  return {
    gate: gateLabel(verdict),
    verdict: verdict.kind,
    estimate: verdict.estimate,
    interval: verdict.interval,
    samples: verdict.samples,
    threshold: verdict.threshold,
    alpha: verdict.alpha,
    e_value: verdict.eValue,
    reason: verdict.reason,
    needs: verdict.needs,
  };
}

/** The answer for a person: the gates, then what was not judged and how the lines were read, then the verdict. */
export function tellAnswer(judgement: TraceJudgement, terminal: Terminal): void {
  for (const verdict of judgement.verdicts) {
    const { kind, reason, needs } = verdict;
    // After a fail nobody waits for what the others would need.
    const advice = needs === null || judgement.kind === "fail" ? "" : `; needs ${needs}`;
    terminal.data(
      `${terminal.paint(STYLES[kind], kind.padEnd(12))} ${gateLabel(verdict)}: ${printableLine(reason)}${advice}`,
    );
  }
  const { counts, sampleRatio } = judgement;
  if (judgement.notJudged.length > 0)
    terminal.data(`${"not judged".padEnd(12)} ${judgement.notJudged.join(", ")}: nothing in the trace answers them`);
  if (sampleRatio !== null) terminal.data(splitLine(sampleRatio));
  if (counts.firstMalformed !== null) {
    const { line, reason } = counts.firstMalformed;
    terminal.say(
      `${counts.malformed} of ${counts.lines} lines could not be read, first line ${line}: ${printableLine(reason)}`,
    );
  }
  if (counts.lines > 0 && counts.malformed === counts.lines)
    terminal.say(
      "the log of a product is read with --format (docs/access-logs.md); docs/judge.md shows an event of ours",
    );
  for (const [field, { events, line, reason }] of Object.entries(counts.unread))
    terminal.say(`${field} cannot be read in ${events} of ${counts.lines} events, first in line ${line}: ${reason}`);
  if (counts.repeated > 0) terminal.say(`${counts.repeated} of ${counts.lines} were delivered before and count once`);
  if (counts.skipped > 0) terminal.say(`${counts.skipped} records are no request of an arm and were passed over`);
  if (counts.lost > 0) terminal.say(`${counts.lost} windows are missing between those that are there`);
  if (counts.late > 0) terminal.say(`${counts.late} of ${counts.lines} came too late to count`);
  const needs = judgement.needs === null ? "" : `; needs ${judgement.needs}`;
  terminal.data(
    `${terminal.paint(STYLES[judgement.kind], judgement.kind.toUpperCase())}: ${counts.lines} lines read, ${counts.probes} of probes${stageText(judgement)}${decisionText(judgement)}${needs}`,
  );
}

function splitLine({ units, ok, lnE }: SampleRatio): string {
  const total = units.stable + units.candidate;
  if (total === 0)
    return `${"no-data".padEnd(12)} split: no event names its user (\`sticky\`), so the split cannot be tested`;
  const found = `${units.candidate} of ${total} users on the candidate`;
  if (lnE === null) return `${"no-data".padEnd(12)} split: ${found}; nobody is drawn at 0 % and at 100 %`;
  return `${(ok ? "pass" : "error").padEnd(12)} split: ${found}, ${ok ? fittingSplit(total) : "not as ordered"}`;
}

/** Where the stage comes from that gave hold and margins: a trace's own share is seldom exactly a stage's. */
function stageText({ stage }: TraceJudgement): string {
  if (stage === null) return "";
  const { candidateBp, chosenBy } = stage;
  const judged = `, judged by hold and margins of a stage at ${candidateBp / 100} %`;
  if (chosenBy === null) return `${judged}, the share that was ordered`;
  const total = chosenBy.stable + chosenBy.candidate;
  const share = total === 0 ? 0 : (chosenBy.candidate / total) * 100;
  return `${judged} (${share.toFixed(1)} % of the first ${total} requests are the candidate's)`;
}

/** Reading goes on after a fail while the trace's share is not known, or too few of its lines could be read. */
function decisionText({ decidedAt, decidedBy, counts }: TraceJudgement): string {
  if (decidedAt === null) return "";
  const { event } = decidedAt;
  const readable = counts.malformed === 0 ? "" : ", with at most 1 % of the lines unreadable";
  const until = counts.lines === event ? "" : `, known once its share was clear at line ${counts.lines}${readable}`;
  return `, decided by ${decidedBy} at event ${event}${until}; what follows is not judged`;
}
