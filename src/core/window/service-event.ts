import type { Counter, Gauge, Timing } from "./window.ts";

/** A header, or a trailer, may be this long; a longer one is not read. */
const TEXT_MAX = 4_096;
const TOOLS_MAX = 64;
const NUMBER_MAX = 1_000_000_000;
/**
 * Names, hashes and λ states. No blanks, no `@`, no `?`: a sentence, an address of a person or a query cannot be told
 * by mistake.
 */
const WORD = /^(?:[\w.:/#+~=-]{1,128}|→|<>|←|×)$/;

type Kind = "number" | "word" | "flag";
type Value = number | string | boolean;

/** What a service may say of one answer: every field of a wide event that only it knows. @source definitions.md §10 */
const GROUPS = {
  latency_ms: { tusable: "number", retrieve: "number", rerank: "number", reason: "number" },
  retrieval: {
    k: "number",
    metric: "word",
    analyzer: "word",
    index_hash: "word",
    delta_s_q_r: "number",
    delta_s_r_anchor: "number",
    coverage: "number",
    lambda_state: "word",
  },
  cache: { hit: "flag", written_by: "word" },
  egress: { webhook: "word", tries: "number", dedupe_key: "word" },
  queue: { enq: "number", deq: "number", backlog: "number", age_p95_ms: "number" },
  effects: { applied: "number", repeat: "number", suppressed: "number", duplicate: "number", lost: "number" },
  instance: { concurrency: "number" },
  usage: { input_tokens: "number", output_tokens: "number", cost: "number" },
  answer: { refused: "flag", empty: "flag", truncated: "flag", finish_reason: "word" },
  feedback: { thumbs_down: "flag", regenerated: "flag", release: "word" },
} as const satisfies Record<string, Record<string, Kind>>;

type Group = keyof typeof GROUPS;
type Fields<G extends Group> = {
  readonly [name in keyof (typeof GROUPS)[G]]?: (typeof GROUPS)[G][name] extends "number"
    ? number
    : (typeof GROUPS)[G][name] extends "flag"
      ? boolean
      : string;
};

/** One call of a tool, without its arguments. `depth`: how many calls it is nested in. */
export interface ToolCall {
  readonly name: string;
  readonly args_digest: string;
  readonly depth?: number;
}

/** What a service said of one answer, in the spelling of wide events. */
export type ServiceEvent = { readonly [group in Group]?: Fields<group> } & { readonly tools?: readonly ToolCall[] };

/**
 * Reads what a service says of its answer in `x-sluice-event`. Only known fields of the right kind are taken; the rest
 * is left out, because telemetry must not break an answer. Null when nothing can be taken.
 */
export function readServiceEvent(text: string): ServiceEvent | null {
  const json = text.length > TEXT_MAX ? null : parsed(text);
  if (!isRecord(json)) return null;
  const groups = Object.entries(GROUPS).flatMap(([group, fields]) => {
    const read = readGroup(fields, json[group]);
    return read.length === 0 ? [] : [[group, Object.fromEntries(read)] as const];
  });
  const tools = Array.isArray(json["tools"]) ? json["tools"].slice(0, TOOLS_MAX).flatMap(readTool) : null;
  if (groups.length === 0 && tools === null) return null;
  return { ...Object.fromEntries(groups), ...(tools === null ? {} : { tools }) } as ServiceEvent;
}

function readGroup(fields: Readonly<Record<string, Kind>>, json: unknown): readonly (readonly [string, Value])[] {
  if (!isRecord(json)) return [];
  return Object.entries(fields).flatMap(([name, kind]) => {
    const value = readValue(kind, json[name]);
    return value === null ? [] : [[name, value] as const];
  });
}

function readValue(kind: Kind, value: unknown): Value | null {
  if (kind === "flag") return typeof value === "boolean" ? value : null;
  if (kind === "word") return typeof value === "string" && WORD.test(value) ? value : null;
  return typeof value === "number" && value >= 0 && value <= NUMBER_MAX ? value : null;
}

function readTool(json: unknown): readonly ToolCall[] {
  if (!isRecord(json)) return [];
  const { name, args_digest, depth } = json;
  const isNamed = typeof name === "string" && WORD.test(name);
  if (!isNamed || typeof args_digest !== "string" || !WORD.test(args_digest)) return [];
  return [{ name, args_digest, ...(typeof depth === "number" && depth >= 0 ? { depth } : {}) }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What of a service's word is counted in windows. Absent names were not watched. */
export interface Signals {
  readonly counters: Readonly<Partial<Record<Counter, number>>>;
  readonly gauges: Readonly<Partial<Record<Gauge, number>>>;
  readonly timings: Readonly<Partial<Record<Timing, number>>>;
}

/**
 * @param isOther whether the arm's cache entry was written by the other arm, for the name its writer gives itself
 * @param toolLoops loops among the tool calls; null where none was told
 */
export function signalsOf(
  event: ServiceEvent,
  isOther: (writer: string) => boolean,
  toolLoops: number | null,
): Signals {
  const { latency_ms: latency = {}, cache = {}, egress = {}, queue = {}, effects = {}, instance = {} } = event;
  const { hit, written_by: writer } = cache;
  return {
    counters: present({
      cacheLookups: hit === undefined ? undefined : 1,
      cacheHits: hit === undefined ? undefined : Number(hit),
      cacheCollisions: writer === undefined ? undefined : Number(hit !== false && isOther(writer)),
      effects: whole(effects.applied),
      repeatDeliveries: whole(effects.repeat),
      suppressedDeliveries: effects.repeat === undefined ? undefined : suppressed(effects.repeat, effects.suppressed),
      duplicateEffects: whole(effects.duplicate),
      lostWrites: whole(effects.lost),
      retries: egress.tries === undefined ? undefined : Math.max(0, Math.floor(egress.tries) - 1),
      toolLoops: toolLoops ?? undefined,
    }),
    gauges: present({
      queueAgeP95Ms: queue.age_p95_ms,
      queueBacklog: queue.backlog,
      instanceConcurrency: instance.concurrency,
    }),
    timings: present({
      retrieve: latency.retrieve,
      rerank: latency.rerank,
      reason: latency.reason,
      queueAge: queue.age_p95_ms,
    }),
  };
}

const whole = (count: number | undefined) => (count === undefined ? undefined : Math.floor(count));
/** Never more than were repeated, or the window would be refused. */
const suppressed = (repeat: number, found = 0) => Math.min(Math.floor(repeat), Math.floor(found));

function present<Name extends string>(
  values: Readonly<Record<Name, number | undefined>> | Readonly<Partial<Record<Name, number | undefined>>>,
): Readonly<Partial<Record<Name, number>>> {
  const found = Object.entries<number | undefined>(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as Partial<Record<Name, number>>;
}
