import type { ServingArm } from "../arm.ts";
import type { Traffic } from "../window/recorder.ts";
import type { ErrorClass } from "../window/window.ts";
import type { ArmNames } from "./arm-names.ts";
import { FailureReader } from "./failure.ts";
import { timestampMs } from "./timestamp.ts";

/** The fields of a wide event that count, under every name the pages give them. All of them unchecked. */
interface WireEvent {
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
  readonly latency_ms?: { readonly tfinal?: unknown } | null;
  readonly release_id?: unknown;
  readonly sticky?: unknown;
  readonly cache?: { readonly hit?: unknown; readonly written_by?: unknown } | null;
  readonly queue?: { readonly age_p95_ms?: unknown } | null;
  readonly tool?: { readonly name?: unknown; readonly args_digest?: unknown } | null;
  readonly trace_id?: unknown;
  readonly INDEX_HASH?: unknown;
  readonly index_hash?: unknown;
  readonly retrieval?: WireRetrieval | null;
}

interface WireRetrieval {
  readonly metric?: unknown;
  readonly analyzer?: unknown;
  readonly index_hash?: unknown;
  readonly INDEX_HASH?: unknown;
}

/** The client went away before the answer was complete, which says nothing about the arm. */
const CLIENT_CLOSED = 499;

/** An event that was understood, or why it was not. */
export type Reading = string | null;

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
  traceId = "";
  metric: string | null = null;
  analyzer: string | null = null;
  indexHash: string | null = null;

  readonly #names: ArmNames;
  readonly #failures = new FailureReader();
  /** Release each arm was last seen with: `written_by` may name the release. */
  #stableRelease: unknown = null;
  #candidateRelease: unknown = null;

  constructor(names: ArmNames) {
    this.#names = names;
  }

  /** Null when the event was read; else what was found and what was expected. Then the fields mean nothing. */
  read(json: unknown): Reading {
    if (typeof json !== "object" || json === null || Array.isArray(json)) return "expected one JSON object a line";
    const event = json as WireEvent;
    this.atMs = timestampMs(event.ts);
    if (!(this.atMs >= 0)) return `found ts ${shown(event.ts)}, expected ISO 8601 with a zone, or epoch milliseconds`;
    const name = event.arm ?? event.variant ?? event.color;
    const arm = typeof name === "string" ? this.#names.armOf(name) : null;
    if (arm === null) return `found arm ${shown(name)}, expected stable or candidate; give other names with --arm-map`;
    this.arm = arm === "shadow" ? "candidate" : arm;
    if (arm === "shadow" || isProbe(event)) {
      this.traffic = "probe";
      return null;
    }
    return this.#readAnswer(event) ?? this.#readSurroundings(event);
  }

  #readAnswer(event: WireEvent): Reading {
    const { status } = event;
    const failure = this.#failures.classOf(event.error_class, event.timeout_stage, status);
    if (failure !== null && typeof failure === "object") return failure.reason;
    if (failure === null && !(typeof status === "number" && status >= 100 && status <= 599))
      return `found status ${shown(status)}, expected 100 to 599, or an error_class`;
    this.errorClass = failure;
    this.traffic = event.cold_start === true ? "cold" : "warm";
    const latencyMs = event.latency_ms?.tfinal;
    this.latencyMs = typeof latencyMs === "number" && latencyMs >= 0 && status !== CLIENT_CLOSED ? latencyMs : null;
    return null;
  }

  #readSurroundings(event: WireEvent): Reading {
    const { sticky, cache, queue, tool, retrieval } = event;
    this.sticky = typeof sticky === "string" ? sticky : null;
    this.#noteRelease(event.release_id);
    const hit = cache?.hit;
    this.cacheHit = typeof hit === "boolean" ? hit : null;
    const writer = cache?.written_by;
    this.isCollision = typeof writer === "string" ? hit !== false && this.#isOther(writer) : null;
    const ageMs = queue?.age_p95_ms;
    this.queueAgeMs = typeof ageMs === "number" && ageMs >= 0 && ageMs <= Number.MAX_SAFE_INTEGER ? ageMs : null;
    const toolName = tool?.name;
    const traceId = event.trace_id;
    this.toolName = typeof toolName === "string" && typeof traceId === "string" ? toolName : null;
    if (this.toolName !== null) {
      this.toolArgs = String(tool?.args_digest);
      this.traceId = traceId as string;
    }
    this.metric = textOrNull(retrieval?.metric);
    this.analyzer = textOrNull(retrieval?.analyzer);
    this.indexHash = textOrNull(retrieval?.index_hash ?? retrieval?.INDEX_HASH ?? event.index_hash ?? event.INDEX_HASH);
    return null;
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

function isProbe(event: WireEvent): boolean {
  return isTrue(event.probe) || isTrue(event.warm) || isTrue(event.x_warm) || isTrue(event["x-warm"]);
}

/** Headers that became fields are often still text. */
function isTrue(value: unknown): boolean {
  return value === true || value === "true" || value === "1" || value === 1;
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function shown(value: unknown): string {
  return typeof value === "string" ? `"${value.slice(0, 60)}"` : typeof value === "object" ? typeof value : `${value}`;
}
