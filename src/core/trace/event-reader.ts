import type { ServingArm } from "../arm.ts";
import type { Traffic } from "../window/recorder.ts";
import type { Told } from "../window/signals.ts";
import type { ErrorClass } from "../window/window.ts";
import { type AnswerMembers, NOTHING_TOLD, readTold, tellsOfAnswer } from "./answer-reader.ts";
import type { ArmNames } from "./arm-names.ts";
import { FailureReader } from "./failure.ts";
import { timestampMs } from "./timestamp.ts";
import { isAbsent, readFlag, readNumber, readText, shownValue, UNREADABLE } from "./wire-value.ts";

/** The fields of a wide event that count, under every name the pages give them. All of them unchecked. */
interface WireEvent extends AnswerMembers {
  readonly ts?: unknown;
  readonly arm?: unknown;
  readonly variant?: unknown;
  readonly color?: unknown;
  readonly probe?: unknown;
  readonly warm?: unknown;
  readonly x_warm?: unknown;
  readonly "x-warm"?: unknown;
  readonly status?: unknown;
  readonly error_class?: unknown;
  readonly timeout_stage?: unknown;
  readonly cold_start?: unknown;
  readonly latency_ms?: unknown;
  readonly release_id?: unknown;
  readonly sticky?: unknown;
  readonly cache?: unknown;
  readonly queue?: unknown;
  readonly tool?: unknown;
  readonly event_id?: unknown;
  readonly trace_id?: unknown;
  readonly span_id?: unknown;
  readonly INDEX_HASH?: unknown;
  readonly index_hash?: unknown;
  readonly retrieval?: unknown;
}

/** A member that should hold members, not yet looked at. */
type Members = Readonly<Record<string, unknown>>;

/** Fields of an event that may be left out without the event. */
export type EventField =
  | "cold_start"
  | "latency_ms"
  | "sticky"
  | "cache"
  | "queue"
  | "tool"
  | "event_id"
  | "trace_id"
  | "retrieval"
  | keyof AnswerMembers;

/** A field that is there and cannot be read. */
interface UnreadField {
  readonly field: EventField;
  /** What was found and what was expected. */
  readonly reason: string;
}

const NONE: readonly UnreadField[] = [];
const NO_MEMBERS: Members = {};
const HITS: ReadonlyMap<unknown, boolean> = new Map([
  ["hit", true],
  ["miss", false],
]);

/** The client went away before the answer was complete, which says nothing about the arm. */
const CLIENT_CLOSED = 499;

/** An event that was understood, or why it was not. */
export type Complaint = string | null;

/**
 * Reads wide events into what they count. One reader, one event at a time: its fields hold the last one that was read
 * and are overwritten by the next, so that a million events make no million objects.
 * @source definitions.md §10, contracts.md "Trace"
 */
export class EventReader {
  atMs = 0;
  arm: ServingArm = "stable";
  traffic: Traffic = "warm";
  errorClass: ErrorClass | null = null;
  /** Total latency; null where the event has none and where it means nothing. */
  latencyMs: number | null = null;
  /** Label of the unit's bucket, as it stands; null without one. */
  sticky: string | null = null;
  /** Whether a cache lookup hit; null without a lookup. */
  cacheHit: boolean | null = null;
  /** Whether the entry was written by the other arm; null when the event does not say who wrote it. */
  isCollision: boolean | null = null;
  queueAgeMs: number | null = null;
  toolName: string | null = null;
  toolArgs = "";
  /** How many calls it is nested in; 0 where the event does not say. */
  toolDepth = 0;
  traceId = "";
  /** What tells a repeated delivery: the event's own id, or its trace's; null without one. */
  deliveryId: string | null = null;
  /** Whether that is the event's own, so that its time says nothing. */
  isOwnId = false;
  /** What the answer was told to be. */
  told: Told = NOTHING_TOLD;
  metric: string | null = null;
  analyzer: string | null = null;
  indexHash: string | null = null;

  readonly #names: ArmNames;
  readonly #failures = new FailureReader();
  #unread: readonly UnreadField[] = NONE;
  /** Release each arm was last seen with: `written_by` may name the release. */
  #stableRelease: unknown = null;
  #candidateRelease: unknown = null;

  constructor(names: ArmNames) {
    this.#names = names;
  }

  /** Fields of the last event that are there and could not be read; the event counts without them. */
  get unread(): readonly UnreadField[] {
    return this.#unread;
  }

  /** Null when the event was read; else what was found and what was expected. Then the fields mean nothing. */
  read(json: unknown): Complaint {
    if (typeof json !== "object" || json === null || Array.isArray(json)) return "expected one JSON object a line";
    const event = json as WireEvent;
    this.#unread = NONE;
    this.atMs = timestampMs(event.ts);
    if (!(this.atMs >= 0)) return `found ts ${shownValue(event.ts)}, expected ISO 8601 with a zone, or an epoch time`;
    const name = event.arm ?? event.variant ?? event.color;
    const arm = typeof name === "string" ? this.#names.armOf(name) : null;
    if (arm === null)
      return `found arm ${shownValue(name)}, expected stable or candidate; give other names with --arm-map`;
    this.arm = arm === "shadow" ? "candidate" : arm;
    const probe = probeFlag(event);
    if (typeof probe === "string") return probe;
    this.#readIds(event);
    if (arm === "shadow" || probe) {
      this.traffic = "probe";
      return null;
    }
    return this.#readAnswer(event) ?? this.#readSurroundings(event);
  }

  #readIds(event: WireEvent): void {
    const own = event.event_id === undefined ? null : this.#text("event_id", event.event_id);
    const trace = event.trace_id === undefined ? null : this.#text("trace_id", event.trace_id);
    this.isOwnId = own !== null;
    this.traceId = trace ?? "";
    const span = trace === null || event.span_id === undefined ? null : readText(event.span_id);
    if (typeof span === "string") this.isOwnId = true;
    this.deliveryId = own ?? (typeof span === "string" ? `${trace}\n${span}` : trace);
  }

  #readAnswer(event: WireEvent): Complaint {
    const { status: given } = event;
    const status = readNumber(given);
    const failure = this.#failures.classOf(event.error_class, event.timeout_stage, status);
    if (failure !== null && typeof failure === "object") return failure.reason;
    if (failure === null && !(typeof status === "number" && status >= 100 && status <= 599))
      return `found status ${shownValue(given)}, expected 100 to 599, or an error_class`;
    this.errorClass = failure;
    const latencyMs = this.#latency(event.latency_ms);
    this.latencyMs = status === CLIENT_CLOSED ? null : latencyMs;
    const cold = readFlag(event.cold_start);
    this.traffic = cold === true ? "cold" : "warm";
    if (cold === UNREADABLE) {
      this.#leaveOut("cold_start", event.cold_start, "true or false");
      this.latencyMs = null; // Nobody knows whether it is a warm one.
    }
    return null;
  }

  #readSurroundings(event: WireEvent): Complaint {
    this.sticky = event.sticky === undefined ? null : this.#text("sticky", event.sticky);
    this.#noteRelease(event.release_id);
    if (event.cache === undefined) this.cacheHit = this.isCollision = null;
    else this.#readCache(event.cache);
    this.queueAgeMs = event.queue === undefined ? null : this.#queueAge(event.queue);
    this.told = tellsOfAnswer(event) ? this.#readTold(event) : NOTHING_TOLD;
    this.toolName = null;
    if (event.tool !== undefined && this.traceId !== "") this.#readTool(event.tool);
    this.#readRetrieval(event);
    return null;
  }

  #readRetrieval(event: WireEvent): void {
    this.metric = this.analyzer = this.indexHash = null;
    if (event.retrieval === undefined && event.index_hash === undefined && event.INDEX_HASH === undefined) return;
    const retrieval = event.retrieval === undefined ? NO_MEMBERS : this.#members("retrieval", event.retrieval);
    this.metric = this.#text("retrieval", retrieval["metric"]);
    this.analyzer = this.#text("retrieval", retrieval["analyzer"]);
    const hash = retrieval["index_hash"] ?? retrieval["INDEX_HASH"] ?? event.index_hash ?? event.INDEX_HASH;
    this.indexHash = this.#text("retrieval", hash);
  }

  /** `{tfinal: 80}`, or the total alone. */
  #latency(given: unknown): number | null {
    const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
    const total = isObject ? (given as Members)["tfinal"] : given;
    const latencyMs = readNumber(total);
    if (typeof latencyMs === "number" && latencyMs >= 0) return latencyMs;
    if (latencyMs !== null) this.#leaveOut("latency_ms", total, "a number of milliseconds");
    return null;
  }

  /** `{hit, written_by}`, or `HIT` and `MISS` as caches write them. */
  #readCache(given: unknown): void {
    const isWord = typeof given === "string" || typeof given === "boolean" || typeof given === "number";
    const cache = isWord ? { hit: given } : this.#members("cache", given);
    const word = cache["hit"];
    const hit = typeof word === "string" ? (HITS.get(word.toLowerCase()) ?? readFlag(word)) : readFlag(word);
    if (hit === UNREADABLE) this.#leaveOut("cache", word, "hit: true or false");
    this.cacheHit = hit === UNREADABLE ? null : hit;
    const writer = this.#text("cache", cache["written_by"]);
    this.isCollision = writer === null ? null : this.cacheHit !== false && this.#isOther(writer);
  }

  #queueAge(given: unknown): number | null {
    const age = this.#members("queue", given)["age_p95_ms"];
    const ageMs = readNumber(age);
    if (typeof ageMs === "number" && ageMs >= 0 && ageMs <= Number.MAX_SAFE_INTEGER) return ageMs;
    if (ageMs !== null) this.#leaveOut("queue", age, "age_p95_ms as a number");
    return null;
  }

  #readTool(given: unknown): void {
    const tool = this.#members("tool", given);
    this.toolName = this.#text("tool", tool["name"]);
    const args = tool["args_digest"];
    this.toolArgs = typeof args === "string" ? args : (this.#text("tool", args) ?? "");
    const depth = readNumber(tool["depth"]);
    this.toolDepth = typeof depth === "number" ? depth : 0;
    if (depth === UNREADABLE) this.#leaveOut("tool", tool["depth"], "depth as a number");
  }

  #readTold(event: WireEvent): Told {
    const { latency_ms: latency, release_id: releaseId } = event;
    const isObject = typeof latency === "object" && latency !== null && !Array.isArray(latency);
    const firstPieceMs = isObject ? (latency as Members)["tusable"] : undefined;
    return readTold(event, firstPieceMs, releaseId, (...unread) => this.#leaveOut(...unread));
  }

  #text(field: EventField, value: unknown): string | null {
    if (typeof value === "string" && value !== "") return value;
    const text = readText(value);
    if (text !== UNREADABLE) return text;
    this.#leaveOut(field, value, "a text");
    return null;
  }

  #members(field: EventField, value: unknown): Members {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
    if (!isAbsent(value)) this.#leaveOut(field, value, "an object");
    return NO_MEMBERS;
  }

  #leaveOut(field: EventField, value: unknown, expected: string): void {
    const reason = `found ${field} ${shownValue(value)}, expected ${expected}`;
    this.#unread = [...this.#unread, { field, reason }];
  }

  #noteRelease(release: unknown): void {
    if (this.arm === "stable") this.#stableRelease = release;
    else this.#candidateRelease = release;
  }

  #isOther(writer: string): boolean {
    const named = this.#names.armOf(writer);
    if (named !== null) return named !== this.arm;
    return writer === (this.arm === "stable" ? this.#candidateRelease : this.#stableRelease);
  }
}

/** Whether an event is of a probe or a warm ping; a reason when that cannot be told, because then it counts nowhere. */
function probeFlag(event: WireEvent): boolean | string {
  const { probe, warm, x_warm } = event;
  if (isFalse(probe) && isFalse(warm) && isFalse(x_warm) && isFalse(event["x-warm"])) return false;
  let isProbe = false;
  for (const key of PROBE_KEYS) {
    const flag = readFlag(event[key]);
    if (flag === UNREADABLE) return `found ${key} ${shownValue(event[key])}, expected true or false`;
    if (flag === true) isProbe = true;
  }
  return isProbe;
}

function isFalse(value: unknown): boolean {
  return value === undefined || value === false;
}

const PROBE_KEYS = ["probe", "warm", "x_warm", "x-warm"] as const;
