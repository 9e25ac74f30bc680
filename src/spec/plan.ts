import { type GateSetting, gateLabel } from "../core/judge/setting.ts";
import { findGate, type GateName, gateNamed, gateOrder } from "../core/judge/gates.ts";
import type { ManifestField } from "../core/release/manifest.ts";
import type { Serves } from "../core/routing/schema-lock.ts";
import type { SegmentSource } from "../core/routing/segments.ts";
import { stagesOfPace } from "../core/stage/pace.ts";
import type { ArmPlan, MetricPlan, ProbePlan, RolloutPlan, Stage } from "../core/stage/plan.ts";
import { type Bp, bp } from "../core/unit.ts";
import { segmentErrors } from "../core/judge/errors/segment-errors.ts";
import { deltaS } from "../core/judge/probes/delta-s.ts";
import type { CutoverPlan } from "../core/cutover/plan.ts";
import { planAccess } from "./access-schema.ts";
import { planHealthMap } from "./health-map-schema.ts";
import { withCutover } from "./cutover-document.ts";
import { type KnownDrivers, readingTimesOf, type WrittenMetric } from "./known-drivers.ts";
import { planPace } from "./pace-document.ts";
import { addShadowGates, planShadow, withShadow } from "./shadow-document.ts";
import { gatesOfChange } from "./preset/change-type.ts";
import { type Preset, PRESETS, strictestPresetOf } from "./preset/index.ts";
import { normalUrl } from "./normal-url.ts";
import { type ArmDocument, type RolloutDocument, stickyCookie, stickyHeaders } from "./rollout-schema.ts";
import type { Source } from "./source.ts";

const HOUR_MS = 3_600_000;

/** What a step or a route gets when the document is silent; `plan` shows the result. */
export const DEFAULTS = {
  holdMs: 15 * 60_000,
  capMs: 8 * HOUR_MS,
  watchMs: HOUR_MS,
  stickyForMs: 24 * HOUR_MS,
  drainMs: 60_000,
  leaseMs: 15_000,
  rollbackWithinMs: 120_000,
  healthPath: "/healthz/ready",
  k: 10,
  repeats: 2,
  concurrency: 16,
} as const;

/** What the plan needs and the document cannot hold. */
export interface PlanContext {
  /** Name of the file, for the `source` of each gate. */
  readonly file: string;
  readonly generation: number;
  /** Seed of the bucket hash: first 4 bytes, big endian, of sha256(rollout salt). */
  readonly seed: number;
  /** What data planes of the service sign with for each other; absent where nothing will be published. */
  readonly key?: string;
  /** sha256 of the document's text, and of the gold set's content (empty without probes). */
  readonly documentDigest: string;
  readonly goldDigest: string;
  /** Where the files the document names really are; names are relative to the document's folder. */
  readonly paths: ProbePaths;
  /** What the service serves now, where that is known. Stable keeps its cache prefix and release from it. */
  readonly current?: ArmPlan | null;
  /** The drivers the document was read with. */
  readonly drivers: KnownDrivers;
}

/** Stands for what the service serves where nobody could be asked; routes nobody. */
const UNKNOWN_STABLE: ArmPlan = {
  releaseId: "current",
  endpoints: [],
  cachePrefix: "stable:",
  healthUrl: null,
  answerUrl: null,
};

export interface ProbePaths {
  readonly set: string | null;
  readonly map: string | null;
  readonly corpus: string | null;
}

/** The document with every preset expanded and every default filled in. */
export function planRollout(
  document: RolloutDocument,
  source: Source,
  context: PlanContext,
): RolloutPlan | CutoverPlan {
  return withCutover(planOf(document, source, context), document);
}

function planOf(document: RolloutDocument, source: Source, context: PlanContext): RolloutPlan {
  const { spec } = document;
  const gates = gateSettings(document, source, context);
  const arms = planArms(document, context);
  return {
    rolloutId: document.metadata.name,
    generation: context.generation,
    service: spec.service,
    arms,
    ...withShadow(planCourse(document), spec.shadow),
    ...(spec.shadow === undefined ? {} : { shadow: planShadow(spec.shadow) }),
    gates: gates.filter(({ gate }) => isMeasurable(gate, document, arms)),
    onFail: { to: spec.onFail?.to ?? firstPreset(document)?.onFail ?? "stable" },
    changes: (spec.changes ?? []) as readonly ManifestField[],
    identity: {
      trustedHeaders: spec.route.trustedHeaders.map((header) => header.toLowerCase()),
      stickyBy: stickyHeaders(spec.route),
    },
    allow: spec.route.allow ?? [],
    ...(spec.segments === undefined ? {} : { segments: spec.segments.map(planSegment) }),
    sticky: planSticky(spec, context),
    drainMs: spec.route.drain ?? DEFAULTS.drainMs,
    leaseMs: spec.route.lease === "off" ? null : (spec.route.lease ?? DEFAULTS.leaseMs),
    probes: planProbes(document, context),
    metrics: (spec.metrics ?? []).map((metric) => planMetric(metric, context.drivers)),
    driver: spec.route.driver,
    rollbackWithinMs: spec.onFail?.within ?? DEFAULTS.rollbackWithinMs,
    documentDigest: context.documentDigest,
    claim: claimOf(document),
    acceptedEpoch: 0,
  };
}

function planSticky({ route }: Spec, { seed, key }: PlanContext): RolloutPlan["sticky"] {
  const cookie = stickyCookie(route);
  return {
    seed,
    ttlMs: route.stickyFor ?? DEFAULTS.stickyForMs,
    ...(key === undefined ? {} : { key }),
    ...(cookie === null ? {} : { cookie }),
  };
}

function claimOf({ spec }: RolloutDocument): RolloutPlan["claim"] {
  if (spec.stable === "current") return null;
  return { url: normalUrl(spec.stable.url), release: spec.stable.release ?? null };
}

function planArms({ metadata, spec }: RolloutDocument, context: PlanContext): RolloutPlan["arms"] {
  const { current = null, generation } = context;
  const candidate = planArm(spec.candidate, spec, `${metadata.name}.${generation}:`, null);
  if (spec.stable !== "current") return { stable: planArm(spec.stable, spec, "stable:", current), candidate };
  if (current !== null) return { stable: currentArm(current, spec.probes !== undefined), candidate };
  const first = spec.startsFrom;
  return { stable: first === undefined ? UNKNOWN_STABLE : planArm(first, spec, "stable:", null), candidate };
}

/** What the service serves, as the stable arm of a rollout that probes or does not. */
export function currentArm(current: ArmPlan, isProbed: boolean): ArmPlan {
  return { ...current, answerUrl: isProbed ? (current.url ?? current.answerUrl) : null };
}

type Spec = RolloutDocument["spec"];

/** Without probes nothing reads answers, and without both health endpoints nobody states an identity to compare. */
function isMeasurable(gate: string, { spec }: RolloutDocument, { stable, candidate }: RolloutPlan["arms"]): boolean {
  const reads = findGate(gate)?.reads;
  if (gate === deltaS.name && spec.probes?.text === false) return false;
  if (reads === "probe") return spec.probes !== undefined;
  const isStated = stable === UNKNOWN_STABLE || stable.healthUrl !== null;
  return reads !== "identity" || (isStated && candidate.healthUrl !== null);
}

/**
 * One arm. A fresh cache prefix for each generation of a candidate, so that a retry never reads what a rolled-back one
 * wrote (D-9).
 */
function planArm(arm: ArmDocument, spec: Spec, cachePrefix: string, current: ArmPlan | null): ArmPlan {
  const url = new URL(arm.url);
  const access = arm.access ?? spec.access;
  const healthUrl = arm.health === null ? null : new URL(arm.health ?? DEFAULTS.healthPath, url.origin).href;
  return {
    releaseId: arm.release ?? current?.releaseId ?? url.host,
    url: url.href,
    endpoints: [url.origin],
    cachePrefix: arm.cachePrefix ?? current?.cachePrefix ?? cachePrefix,
    healthUrl,
    answerUrl: spec.probes === undefined ? null : url.href,
    ...(access === undefined ? {} : { access: planAccess(access) }),
    ...(spec.healthMap === undefined ? {} : { healthMap: planHealthMap(spec.healthMap) }),
    ...(arm.serves === undefined ? {} : { serves: planServes(arm.serves) }),
  };
}

function planSegment({ name, header, show }: NonNullable<Spec["segments"]>[number]): SegmentSource {
  return { name, header: header?.toLowerCase() ?? null, show: show ?? false };
}

/** A pin the document does not name is not locked. */
function planServes({ schemaRev, indexHash, modelTag }: NonNullable<ArmDocument["serves"]>): Serves {
  return { schemaRev: schemaRev ?? null, indexHash: indexHash ?? null, modelTag: modelTag ?? null };
}

/** The stages, and the pace where shares are chosen: the document's own strategy, else its first preset's. */
function planCourse({ spec }: Pick<RolloutDocument, "spec">): Pick<RolloutPlan, "stages" | "pace"> {
  const { canary, pace } = spec.strategy ?? {};
  const isProbed = spec.probes !== undefined;
  if (canary !== undefined) return { stages: planSteps(canary) };
  if (pace !== undefined) {
    const planned = planPace(pace === "evidence" ? {} : pace);
    return { stages: stagesOfPace(planned.ladder, isProbed), pace: planned.pace };
  }
  const preset = firstPreset({ spec });
  const stages = (preset?.stages ?? []).filter((stage) => isProbed || stage.kind !== "probes");
  return { stages, ...(preset?.pace === undefined ? {} : { pace: preset.pace }) };
}

type Canary = NonNullable<NonNullable<RolloutDocument["spec"]["strategy"]>["canary"]>;

function planSteps(canary: Canary): readonly Stage[] {
  const stages = canary.steps.map((step): Stage => {
    if (step.probes !== undefined) return { kind: "probes", tier: step.probes === true ? "full" : step.probes };
    const holdMs = step.hold ?? DEFAULTS.holdMs;
    if (step.weight === 100) return { kind: "watch", holdMs: step.hold ?? canary.watch ?? DEFAULTS.watchMs };
    const capMs = Math.max(step.cap ?? DEFAULTS.capMs, holdMs);
    return {
      kind: "traffic",
      candidateBp: bp(Math.round((step.weight ?? 0) * 100)),
      holdMs,
      capMs,
      onCap: step.onCap ?? "wait",
    };
  });
  const isWatched = stages.some((stage) => stage.kind === "watch");
  return isWatched ? stages : [...stages, { kind: "watch", holdMs: canary.watch ?? DEFAULTS.watchMs }];
}

/** The preset an entry of `gates` names, alone or as the strictest of several. */
export function presetOf({ use, strictestOf }: RolloutDocument["spec"]["gates"][number]): Preset | null {
  if (strictestOf !== undefined) return strictestPresetOf(strictestOf);
  return use === undefined ? null : (PRESETS[use] ?? null);
}

/** The preset whose ladder and way back count where the document gives none: the first one that has its own. */
export function firstPreset({ spec }: Pick<RolloutDocument, "spec">): Preset | null {
  return spec.gates.map(presetOf).find((preset) => preset !== null && !preset.isAddOn) ?? null;
}

/**
 * Gates of the presets in the order of the document, then those a change type asks for, then the document's own; a
 * later entry for the same gate replaces the options it gives.
 */
function gateSettings({ spec }: RolloutDocument, source: Source, context: PlanContext): readonly GateSetting[] {
  const settings = new Map<string, GateSetting>();
  const presets = spec.gates.flatMap((entry) => presetOf(entry) ?? []);
  for (const { name, version, gates, within } of presets) {
    for (const [gate, options] of Object.entries(gates)) {
      const range = within[gate as GateName];
      const scope = range === undefined ? {} : { within: range };
      settings.set(gate, { gate, options: { ...options }, source: `preset ${name}@${version}`, ...scope });
    }
  }
  for (const gate of gatesOfChange(spec.changeTypes ?? [])) {
    if (settings.has(gate)) continue;
    settings.set(gate, { gate, options: { ...gateNamed(gate).defaults }, source: "spec.changeTypes" });
  }
  spec.gates.forEach((entry, index) => {
    const { gate: kind, name, within, ...options } = entry;
    if (kind === undefined) return;
    const instance = instanceOf(kind, { ...options, name });
    const which = { gate: kind, ...(instance === undefined ? {} : { instance }) };
    const before = settings.get(gateLabel(which));
    const { line } = source.locate(["spec", "gates", index]);
    const base = before?.options ?? gateNamed(kind).defaults;
    const range =
      within === undefined ? before?.within : { fromBp: percentBp(within.from), toBp: percentBp(within.to) };
    const scope = range === undefined ? {} : { within: range };
    const all = { ...base, ...options };
    settings.set(gateLabel(which), { ...which, options: all, source: `${context.file}:${line}`, ...scope });
  });
  addSegmentGate(spec, settings);
  addShadowGates(spec.shadow, settings);
  const tries = (spec.onFail?.to ?? firstPreset({ spec })?.onFail) === "previous-stage" ? 2 : 1;
  const sorted = [...settings.values()].sort((a, b) => gateOrder(a.gate) - gateOrder(b.gate));
  return sorted.map((setting) => withErrorBudget(setting, tries));
}

/** Users are told apart to be judged: segments come with their gate, and the gate is nothing without segments. */
function addSegmentGate({ segments }: Spec, settings: Map<string, GateSetting>): void {
  const { name: gate, defaults } = segmentErrors;
  if (segments === undefined) settings.delete(gate);
  else if (!settings.has(gate)) settings.set(gate, { gate, options: { ...defaults }, source: "spec.segments" });
}

function percentBp(percent: number): Bp {
  return bp(Math.round(percent * 100));
}

/** Which one it is, for a kind that may be used more than once: its name, or the option that tells it apart. */
function instanceOf(kind: string, entry: Readonly<Record<string, unknown>>): string | undefined {
  const by = gateNamed(kind).instanceBy;
  return by === null ? undefined : String(entry[by]);
}

/** A retried stage starts its evidence afresh, so the promised error rate is split over the tries. */
function withErrorBudget(setting: GateSetting, tries: number): GateSetting {
  const { alpha } = setting.options;
  if (typeof alpha !== "number" || tries === 1) return setting;
  return { ...setting, options: { ...setting.options, alpha: alpha / tries } };
}

function planMetric(metric: WrittenMetric, drivers: KnownDrivers): MetricPlan {
  const { name, source, url, candidate, stable, timestamp, tokenFile, access, every, maxAge } = metric;
  const times = readingTimesOf(drivers, source);
  const everyMs = every ?? times.everyMs;
  const maxAgeMs = maxAge ?? Math.max(times.maxAgeMs, 2 * everyMs);
  const place = { timestamp: timestamp ?? null, tokenFile: tokenFile ?? null };
  const credentials = access === undefined ? {} : { access: planAccess(access) };
  return { name, source, url, candidate, stable: stable ?? null, ...place, ...credentials, everyMs, maxAgeMs };
}

function planProbes({ spec }: RolloutDocument, context: PlanContext): ProbePlan | null {
  if (spec.probes === undefined) return null;
  const { set, k, repeats, embedder, concurrency, rps } = spec.probes;
  const { paths } = context;
  return {
    set: paths.set ?? set,
    goldDigest: context.goldDigest,
    k: k ?? DEFAULTS.k,
    repeats: repeats ?? DEFAULTS.repeats,
    map: paths.map,
    corpus: paths.corpus,
    embedder: embedder ?? "lexical",
    concurrency: concurrency ?? DEFAULTS.concurrency,
    requestsPerSecond: rps ?? null,
  };
}
