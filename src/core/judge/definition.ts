import type { ByArm } from "../arm.ts";
import { assert } from "../assert.ts";
import type { UnitView } from "../by-unit/unit-evidence.ts";
import type { ProbeReport } from "../measure/report.ts";
import type { ManifestField, ObservedManifest, PinnedManifests } from "../release/manifest.ts";
import type { TrafficStage } from "../stage/plan.ts";
import type { Verdict } from "../verdict.ts";
import type { Signal } from "../window/signals.ts";
import type { Block, Reading, ServiceHistory, ServiceTraffic, StageView } from "./block.ts";
import type { Fields, OptionsOf } from "./fields.ts";
import type { Assumptions, Needs } from "./needs.ts";

/** What a stop means for the person who is woken by it, and where to look first. */
export interface Advice {
  /** What is wrong, in plain words; completes "The candidate …". */
  readonly means: string;
  /** The first thing to do after traffic is back. */
  readonly lookAt: string;
}

/**
 * Stop conditions by their reason code, a stable word for other programs. The first one counts where a verdict names
 * none.
 */
type Conditions = Readonly<Record<string, Advice>>;

/**
 * A gate over user traffic: a fold over blocks and a decision at any moment. State is JSON so that it survives a
 * restart; it runs through the whole rollout and is never restarted at a stage.
 */
export interface TrafficPart<Options, State extends object> {
  /** The state before the first block. */
  start(options: Options, history: ServiceHistory): State;
  fold(state: State, block: Block, options: Options): State;
  /** The state after a reading of a metric from outside; only gates that ask for metrics have it. */
  read?(state: State, reading: Reading, options: Options): State;
  /** What of a first try is still known when evidence starts afresh for a second one. */
  remember?(state: State): ServiceHistory;
  /** The fuse alone: cheap, so that it can be looked at far more often than a whole verdict is written. */
  isHarmProven(state: State, options: Options, units?: UnitView): boolean;
  decide(state: State, stage: StageView, options: Options): Verdict;
}

/** A gate over a probe report; may give one verdict a topic. */
export type ProbePart<Options> = (report: ProbeReport, stage: StageView, options: Options) => readonly Verdict[];

/** A gate over what both arms say they are. */
type IdentityPart = (
  pinned: PinnedManifests,
  observed: ByArm<ObservedManifest>,
  changes: readonly ManifestField[],
) => Verdict;

/** One gate, whole: what a document may say, what it reads, what it decides and what a person should know of it. */
export interface GateDefinition<Name extends string, F extends Fields, State extends object> {
  readonly name: Name;
  /** What it waits for: a stage of traffic, a probe report, or both arms' health answers. */
  readonly reads: "traffic" | "probe" | "identity";
  /**
   * What one piece of its evidence is; a trace of requests may lack units, and has neither metrics from outside nor
   * pairs.
   */
  readonly counts: "requests" | "pairs" | "units" | "events" | "gauges" | "metrics" | "questions" | "answers";
  /** What it asks, as a sentence for a person. */
  readonly says: string;
  /** The unit of its estimate, and where its numbers come from, as words of a table. */
  readonly unit: string;
  readonly from: string;
  readonly options: F;
  readonly conditions: Conditions;
  /** Whether a verdict of it may stop the candidate. Absent: it may. */
  mayStop?(options: OptionsOf<F>): boolean;
  /** The field of a recorded event that it cannot do without, by its name on the wire. */
  readonly eventField?: string;
  /** What it asks of answers, which a data plane looks at only where it is asked. */
  readonly signal?: Signal;
  /** The stretch of traffic a person wants to see with its verdict. */
  readonly worst?: "failures" | "latency";
  /** How instances are told apart, for a kind that may be used more than once: by `name`, or by one of its options. */
  readonly instanceBy?: "name" | (keyof F & string);
  /** What a document is told that leaves out an option which has to be said. */
  readonly asks?: string;
  /** Whether a rollout begins with it, before its first stage. */
  readonly isEntry?: boolean;
  /** Its options with what the controller has learnt of the service in place of what the document left open. */
  learn?(options: OptionsOf<F>, service: ServiceTraffic): OptionsOf<F> | null;
  /** What it will need at a stage, under stated assumptions about healthy traffic. */
  needs?(options: OptionsOf<F>, stage: TrafficStage, assumed: Assumptions): Needs;
  readonly traffic?: TrafficPart<OptionsOf<F>, State>;
  readonly probe?: ProbePart<OptionsOf<F>>;
  readonly identity?: IdentityPart;
}

/** Options as a plan holds them. */
type GivenOptions = Readonly<Record<string, unknown>>;

/** A gate's traffic part with its options filled in; its state is JSON that only the gate itself can read. */
export interface OpenTraffic {
  start(history: ServiceHistory): unknown;
  fold(state: unknown, block: Block): unknown;
  read(state: unknown, reading: Reading): unknown;
  remember(state: unknown): ServiceHistory | null;
  isHarmProven(state: unknown, units?: UnitView): boolean;
  decide(state: unknown, stage: StageView): Verdict;
}

/** A gate as everyone else sees it: which options and which state it has, only it knows. */
export interface Gate<Name extends string = string, F extends Fields = Fields>
  extends Pick<
    GateDefinition<Name, F, never>,
    "name" | "reads" | "counts" | "says" | "unit" | "from" | "options" | "conditions"
  > {
  readonly worst: "failures" | "latency" | null;
  readonly eventField: string | null;
  readonly signal: Signal | null;
  readonly instanceBy: string | null;
  readonly asks: string | null;
  readonly isEntry: boolean;
  /** What its options are when a document says nothing; without those a document has to say. */
  readonly defaults: Partial<OptionsOf<F>>;
  /** The options given, with defaults for what is missing. Throws on a value of another type: documents are checked. */
  optionsOf(given: GivenOptions): OptionsOf<F>;
  mayStop(given: GivenOptions): boolean;
  /** Null for a gate that learns nothing, or that was told already. */
  learn(given: GivenOptions, service: ServiceTraffic): GivenOptions | null;
  readonly canLearn: boolean;
  /** Null for a gate that needs nothing from a stage of traffic. */
  needs(given: GivenOptions, stage: TrafficStage, assumed: Assumptions): Needs | null;
  /** Null for a gate that does not read traffic. */
  openTraffic(given: GivenOptions): OpenTraffic | null;
  /** Null for a gate that does not read probes. */
  judgeProbes(report: ProbeReport, stage: StageView, given: GivenOptions): readonly Verdict[] | null;
  readonly judgeIdentity: IdentityPart | null;
}

function isOptions<F extends Fields>(fields: F, value: GivenOptions): value is OptionsOf<F> {
  return Object.entries(fields).every(([name, field]) => field.accepts(value[name]));
}

function isPartOf<F extends Fields>(fields: F, value: GivenOptions): value is Partial<OptionsOf<F>> {
  return Object.entries(value).every(([name, one]) => fields[name]?.accepts(one) === true);
}

function defaultsOf<F extends Fields>(name: string, fields: F): Partial<OptionsOf<F>> {
  const told = Object.entries(fields).filter(([, { fallback }]) => fallback !== undefined);
  const defaults: GivenOptions = Object.fromEntries(told.map(([option, { fallback }]) => [option, fallback]));
  assert(isPartOf(fields, defaults), `the defaults of ${name} are of their own types`);
  return defaults;
}

/** What a gate kept is its own again when it has everything a fresh state has. */
function openTraffic<Options, State extends object>(
  name: string,
  part: TrafficPart<Options, State>,
  options: Options,
): OpenTraffic {
  const keys = Object.keys(part.start(options, { known: [] }));
  const isOwn = (state: unknown): state is State =>
    typeof state === "object" && state !== null && keys.every((key) => key in state);
  const own = (state: unknown): State => {
    assert(isOwn(state), `evidence has a state for ${name} with ${keys.join(", ")}`);
    return state;
  };
  return {
    start: (history) => part.start(options, history),
    fold: (state, block) => part.fold(own(state), block, options),
    read: (state, reading) => (part.read === undefined ? state : part.read(own(state), reading, options)),
    remember: (state) => part.remember?.(own(state)) ?? null,
    isHarmProven: (state, units) => part.isHarmProven(own(state), options, units),
    decide: (state, stage) => part.decide(own(state), stage, options),
  };
}

/**
 * Makes a gate of its definition. Nothing outside learns the types of its options and its state: options are checked
 * against the fields, and a state is handed back to the gate that wrote it.
 */
export function defineGate<const Name extends string, const F extends Fields, State extends object>(
  definition: GateDefinition<Name, F, State>,
): Gate<Name, F> {
  const { name, reads, counts, says, unit, from, options: fields, conditions, traffic, probe } = definition;
  const defaults = defaultsOf(name, fields);
  const optionsOf = (given: GivenOptions): OptionsOf<F> => {
    const whole: GivenOptions = { ...defaults, ...given };
    assert(isOptions(fields, whole), `the options of ${name} are ${JSON.stringify(whole)}`);
    return whole;
  };
  return {
    name,
    reads,
    counts,
    says,
    unit,
    from,
    options: fields,
    conditions,
    worst: definition.worst ?? null,
    eventField: definition.eventField ?? null,
    signal: definition.signal ?? null,
    instanceBy: definition.instanceBy ?? null,
    asks: definition.asks ?? null,
    isEntry: definition.isEntry ?? false,
    defaults,
    optionsOf,
    mayStop: (given) => definition.mayStop?.(optionsOf(given)) ?? true,
    canLearn: definition.learn !== undefined,
    learn: (given, service) => definition.learn?.(optionsOf(given), service) ?? null,
    needs: (given, stage, assumed) => definition.needs?.(optionsOf(given), stage, assumed) ?? null,
    openTraffic: (given) => (traffic === undefined ? null : openTraffic(name, traffic, optionsOf(given))),
    judgeProbes: (report, stage, given) => probe?.(report, stage, optionsOf(given)) ?? null,
    judgeIdentity: definition.identity ?? null,
  };
}
