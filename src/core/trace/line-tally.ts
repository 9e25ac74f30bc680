import { findGate } from "../judge/gates.ts";
import type { Verdict } from "../verdict.ts";
import type { EventField } from "./event-reader.ts";
import type { Judgement, LineCounts, TraceJudgement, UnreadCount } from "./judgement.ts";

/** Share of lines that may be unreadable, or late, before the rest is no answer. */
const TOLERATED = 0.01;

/** Counts how the lines of a trace were read, and what that does to its judgement. */
export class LineTally {
  lines = 0;
  late = 0;
  probes = 0;
  repeated = 0;
  lost = 0;
  /** Records that are no request of an arm: spans of clients, lines of functions. */
  skipped = 0;
  readonly #unread = new Map<EventField, UnreadCount>();
  #malformed = 0;
  #first: LineCounts["firstMalformed"] = null;

  refuse(reason: string, line: number): void {
    this.#malformed++;
    this.#first ??= { line, reason };
  }

  /** Counts a field that is there and cannot be read; its event counts without it. */
  leaveOut(field: EventField, reason: string, line: number): void {
    const known = this.#unread.get(field);
    this.#unread.set(field, known === undefined ? { events: 1, line, reason } : { ...known, events: known.events + 1 });
  }

  /** Whether enough lines were understood. A judgement waits for it: one bad line among the first fifty is no 2 %. */
  get isReadable(): boolean {
    return this.#malformed <= TOLERATED * this.lines;
  }

  /**
   * The whole answer. A trace of which more than 1 % cannot be read is an error whatever the rest says, and one of
   * which more than 1 % came late never passes: what was left out may be what was slow.
   */
  conclude(judgement: Judgement): TraceJudgement {
    const counts: LineCounts = {
      lines: this.lines,
      malformed: this.#malformed,
      firstMalformed: this.#first,
      late: this.late,
      probes: this.probes,
      repeated: this.repeated,
      lost: this.lost,
      skipped: this.skipped,
      unread: Object.fromEntries(this.#unread),
    };
    if (!this.isReadable) {
      const needs = "a trace of which at most 1 % of the lines cannot be read";
      return { ...judgement, kind: "error", decidedBy: null, decidedAt: null, needs, counts };
    }
    if (judgement.kind === "pass" && this.late > TOLERATED * this.lines) {
      const needs = `a trace in order: ${this.late} of ${this.lines} events are more than 5 s older than the newest before them`;
      return { ...judgement, kind: "inconclusive", needs, counts };
    }
    return this.#withUnread({ ...judgement, counts });
  }

  /**
   * Gates that had nothing to look at because a field could not be read say so: that is an error and not the absence of
   * data. And where a field is missing that way in more than 1 % of the events, nothing passes: what could not be read
   * may be what was bad.
   */
  #withUnread(judgement: TraceJudgement): TraceJudgement {
    if (this.#unread.size === 0) return judgement;
    let hasError = false;
    const verdicts = judgement.verdicts.map((verdict): Verdict => {
      const wanted = findGate(verdict.gate)?.eventField ?? null;
      const [field, unread] = [...this.#unread].find(([name]) => name === wanted) ?? [];
      if (verdict.kind !== "no-data" || field === undefined || unread === undefined) return verdict;
      hasError = true;
      return { ...verdict, kind: "error", reason: this.#unreadText(field, unread), needs: `${field} that can be read` };
    });
    const [worst] = [...this.#unread].sort(([, a], [, b]) => b.events - a.events);
    const isMuch = worst !== undefined && worst[1].events > TOLERATED * this.lines;
    if (worst === undefined || judgement.kind === "fail" || judgement.kind === "error")
      return { ...judgement, verdicts };
    if (hasError) return { ...judgement, verdicts, kind: "error" };
    if (judgement.kind !== "pass" || !isMuch) return { ...judgement, verdicts };
    return { ...judgement, verdicts, kind: "inconclusive", needs: this.#unreadText(...worst) };
  }

  #unreadText(field: EventField, { events, line, reason }: UnreadCount): string {
    return `${field} cannot be read in ${events} of ${this.lines} events, first in line ${line}: ${reason}`;
  }
}
