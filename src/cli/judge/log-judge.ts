import type { EventJudge } from "../../core/trace/event-judge.ts";
import type { LineJudge, TraceJudgement } from "../../core/trace/judgement.ts";
import { shownValue } from "../../core/trace/wire-value.ts";
import type { ArmFields, LogEvent, LogFormat, LogRecord } from "./format/log-format.ts";

/** Judges the access log of a product: its records become wide events, which are judged like any others. */
export class LogJudge implements LineJudge {
  readonly #judge: EventJudge;
  readonly #format: LogFormat;
  readonly #armFields: ArmFields | null;
  #line = 0;
  #taken = 0;
  #isDone = false;

  /** @param armFields fields that hold the arm, instead of the format's usual ones */
  constructor(judge: EventJudge, format: LogFormat, armFields: ArmFields | null) {
    this.#judge = judge;
    this.#format = format;
    this.#armFields = armFields;
  }

  /** Takes what a line holds: the JSON value, or the text of a format that is no JSON. */
  take(value: unknown, line: number): boolean {
    this.#line = line;
    const { fieldsOf } = this.#format;
    const parsed = fieldsOf === undefined || typeof value !== "string" ? value : fieldsOf(value, this.#armFields);
    if (parsed === null && fieldsOf !== undefined) return this.#isDone;
    if (typeof parsed === "string" && fieldsOf !== undefined) return this.refuse(parsed, line);
    if (!Array.isArray(parsed)) this.#takeRecord(parsed);
    else for (const record of parsed) this.#takeRecord(record);
    return this.#isDone;
  }

  refuse(reason: string, line: number): boolean {
    this.#isDone = this.#judge.refuse(reason, line);
    return this.#isDone;
  }

  finish(): TraceJudgement {
    return this.#judge.finish();
  }

  #takeRecord(record: unknown): void {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      this.refuse(`found ${shownValue(record)}, expected a record of a log`, this.#line);
      return;
    }
    this.#taken = 0;
    const problem = this.#format.read(record as LogRecord, this.#armFields, this.#emit);
    if (problem !== null) this.refuse(problem, this.#line);
    else if (this.#taken === 0) this.#judge.skip();
  }

  readonly #emit = (event: LogEvent): void => {
    this.#taken++;
    this.#isDone = this.#judge.take(event, this.#line);
  };
}
