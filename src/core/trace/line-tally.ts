import type { Judgement, LineCounts, TraceJudgement } from "./judgement.ts";

/** Share of lines that may be unreadable, or late, before the rest is no answer. */
const TOLERATED = 0.01;

/** Counts how the lines of a trace were read, and what that does to its judgement. */
export class LineTally {
  lines = 0;
  late = 0;
  probes = 0;
  repeated = 0;
  lost = 0;
  #malformed = 0;
  #first: LineCounts["firstMalformed"] = null;

  refuse(reason: string, line: number): void {
    this.#malformed++;
    this.#first ??= { line, reason };
  }

  /** Whether enough lines were understood. A judgement waits for it: one bad line among the first fifty is no 2 %. */
  get isReadable(): boolean {
    return this.#malformed <= TOLERATED * this.lines;
  }

  /**
   * The whole answer. A trace of which more than 1 % cannot be read is an error whatever the rest says, and one of which
   * more than 1 % came late never passes: what was left out may be what was slow.
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
    };
    if (!this.isReadable) {
      const needs = `a trace that can be read: ${this.#malformed} of ${this.lines} lines cannot, the first is line ${this.#first?.line}: ${this.#first?.reason}`;
      return { ...judgement, kind: "error", decidedBy: null, decidedAt: null, needs, counts };
    }
    if (judgement.kind === "pass" && this.late > TOLERATED * this.lines) {
      const needs = `a trace in order: ${this.late} of ${this.lines} events are more than 5 s older than the newest before them`;
      return { ...judgement, kind: "inconclusive", needs, counts };
    }
    return { ...judgement, counts };
  }
}
