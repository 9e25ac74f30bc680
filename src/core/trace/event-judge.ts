import { xxHash32 } from "../assign/xxhash32.ts";
import { UnitSet } from "../window/unit-set.ts";
import type { ArmNames } from "./arm-names.ts";
import { Deliveries } from "./deliveries.ts";
import { EventReader } from "./event-reader.ts";
import { TraceIdentity } from "./identity.ts";
import type { LineJudge, TraceJudgement, TraceRules } from "./judgement.ts";
import { LineTally } from "./line-tally.ts";
import type { Second } from "./second.ts";
import { SECOND_MS, SecondFolder } from "./second-folder.ts";
import { StageJudge } from "./stage-judge.ts";
import { ToolCalls } from "./tool-calls.ts";

const BUCKETS = 10_000;
const SOURCE = "trace";

/** Judges wide events, one a line. @source contracts.md "sluice judge" */
export class EventJudge implements LineJudge {
  readonly #reader: EventReader;
  readonly #tally = new LineTally();
  readonly #identity = new TraceIdentity();
  readonly #stage: StageJudge;
  readonly #folder: SecondFolder;
  readonly #calls = new ToolCalls();
  readonly #deliveries = new Deliveries();
  /** Units are counted only where an ordered split gives them a meaning. */
  readonly #units: UnitSet | null;

  constructor(rules: TraceRules, names: ArmNames) {
    this.#reader = new EventReader(names);
    this.#units = rules.splitBp === null ? null : new UnitSet();
    this.#stage = new StageJudge(rules, this.#units !== null, ["sticky"]);
    this.#folder = new SecondFolder(({ endMs, arms, identities }) => {
      if (this.#stage.isDecided) return;
      this.#identity.add(identities);
      this.#stage.take({
        candidateBp: rules.splitBp,
        stageBp: rules.splitBp,
        arms,
        endMs,
        spanMs: SECOND_MS,
        source: SOURCE,
        event: this.#tally.lines,
        parity: this.#identity.verdict(),
      });
    });
  }

  take(json: unknown, line: number): boolean {
    this.#tally.lines++;
    const problem = this.#reader.read(json);
    if (problem !== null) this.#tally.refuse(problem, line);
    else if (this.#isRepeated()) this.#tally.repeated++;
    else {
      if (this.#reader.unread.length > 0) this.#tellUnread(line);
      if (!this.#stage.isDecided) this.#count();
    }
    return this.#isDone();
  }

  refuse(reason: string, line: number): boolean {
    this.#tally.lines++;
    this.#tally.refuse(reason, line);
    return this.#isDone();
  }

  /** Counts a record that is no request of an arm. */
  skip(): void {
    this.#tally.skipped++;
  }

  finish(): TraceJudgement {
    this.#folder.finish();
    return this.#tally.conclude(this.#stage.finish());
  }

  #tellUnread(line: number): void {
    for (const { field, reason } of this.#reader.unread) this.#tally.leaveOut(field, reason, line);
  }

  #isRepeated(): boolean {
    const { deliveryId, isOwnId, atMs, toolName, toolArgs } = this.#reader;
    if (deliveryId === null) return false;
    if (isOwnId) return this.#deliveries.isRepeated(deliveryId, 0);
    const call = toolName === null ? deliveryId : `${deliveryId}\n${toolName}\n${toolArgs}`;
    return this.#deliveries.isRepeated(call, atMs);
  }

  #isDone(): boolean {
    return this.#stage.isDecided && this.#tally.isReadable;
  }

  #count(): void {
    const event = this.#reader;
    const second = this.#folder.secondOf(event.atMs);
    if (this.#stage.isDecided) return;
    if (second === null) {
      this.#tally.late++;
      return;
    }
    const arm = second.armOf(event.arm);
    arm.count(event);
    if (event.traffic === "probe") {
      this.#tally.probes++;
      return;
    }
    if (this.#units !== null && event.sticky !== null) this.#countUnit(this.#units, event.sticky, second);
    if (event.toolName !== null) {
      const call = { name: event.toolName, args_digest: event.toolArgs, depth: event.toolDepth };
      arm.countToolCall(this.#calls.loops(event.traceId, call));
    }
  }

  #countUnit(units: UnitSet, sticky: string, second: Second): void {
    if (units.add(hashOf(sticky))) second.armOf(this.#reader.arm).countNewUnit();
  }
}

/** A place in the hash space for a label: `h4711` stands for its bucket, any other label is hashed. */
function hashOf(sticky: string): number {
  const bucket = bucketNumber(sticky);
  return bucket >= 0 ? Math.floor((bucket * 2 ** 32) / BUCKETS) : xxHash32(sticky, 0);
}

/** Number behind `h`; -1 when the label is not the one of a bucket. */
function bucketNumber(label: string): number {
  const { length } = label;
  if (length < 2 || length > 5 || label.charCodeAt(0) !== 104) return -1;
  let number = 0;
  for (let i = 1; i < length; i++) {
    const digit = label.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
}
