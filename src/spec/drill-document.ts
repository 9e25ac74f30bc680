import { CHECKS, type CheckName } from "../core/drill/checks.ts";
import type { DrillFault, Fault } from "../core/drill/fault.ts";
import {
  blastRadius,
  type DrillLimits,
  type DrillPermission,
  type DrillPlan,
  type DrillRegion,
  type DrillTimes,
} from "../core/drill/plan.ts";
import { areWeights } from "../core/drill/steps.ts";
import type { Problem } from "../core/problem.ts";
import { type Bp, bp } from "../core/unit.ts";
import { suggestion } from "../core/did-you-mean.ts";
import { whyNoPattern } from "./cron.ts";
import { formatDurationMs } from "./duration.ts";
import { type DrillDocument, type DrillPlanDocument, drillPlanSchema, drillSchema } from "./drill-schema.ts";
import type { Report } from "./report.ts";
import { inTextOrder, schemaProblems } from "./schema-problems.ts";
import { readShape } from "./shape.ts";
import { type Path, parseSource, pathText, type Source } from "./source.ts";

/** A drill as it was read. `places` null: the page's plan alone, which can be looked at and not run. */
export type ReadDrill =
  | { readonly kind: "document"; readonly document: DrillDocument; readonly source: Source }
  | { readonly kind: "plan"; readonly plan: DrillPlanDocument; readonly source: Source };

/** Tells what is wrong at a place of a source. */
const problemReporter =
  (source: Source): Report =>
  (path, code, message, fix) => ({
    code,
    path: pathText(path),
    at: source.locate(path),
    message,
    ...(fix === undefined ? {} : { fix }),
  });

const toBp = (percent: number): Bp => bp(Math.round(percent * 100));

/** Reads a `kind: Drill` document, or the JSON of page 004 alone. All problems come back together, in order. */
export function readDrill(text: string): ReadDrill | readonly Problem[] {
  const source = parseSource(text);
  if (!("value" in source)) return source;
  const { value } = source;
  const isPlan = typeof value === "object" && value !== null && "evacuate" in value && !("kind" in value);
  if (isPlan) {
    const read = readShape(drillPlanSchema, value);
    if ("issues" in read) return inTextOrder(schemaProblems(read.issues, source, drillPlanSchema));
    const problems = checkPlan(read.value, [], problemReporter(source));
    return problems.length > 0 ? inTextOrder(problems) : { kind: "plan", plan: read.value, source };
  }
  const read = readShape(drillSchema, value);
  if ("issues" in read) return inTextOrder(schemaProblems(read.issues, source, drillSchema));
  const problem = problemReporter(source);
  const found = [
    ...checkPlan(read.value.spec.drill, ["spec", "drill"], problem),
    ...checkPlaces(read.value, problem),
    ...checkPermission(read.value, problem),
  ];
  return found.length > 0 ? inTextOrder(found) : { kind: "document", document: read.value, source };
}

/** What holds between the fields of the page's plan. */
function checkPlan(plan: DrillPlanDocument, at: Path, problem: Report): readonly Problem[] {
  const { regions, evacuate, promote_survivor: survivor, webhook_policy: webhook, return_to_home: home } = plan;
  const known = (name: string, path: Path) =>
    regions.includes(name)
      ? []
      : [problem([...at, ...path], "E150", `unknown region "${name}"; ${suggestion(name, regions)}`)];
  const emitter = webhook?.emit_from;
  const twice = regions.filter((name, place) => regions.indexOf(name) !== place);
  return [
    ...known(evacuate, ["evacuate"]),
    ...known(survivor, ["promote_survivor"]),
    ...twice.map((name) => problem([...at, "regions"], "E150", `region "${name}" stands twice`, "name it once")),
    ...(evacuate === survivor
      ? [
          problem(
            [...at, "promote_survivor"],
            "E151",
            `"${survivor}" is evacuated and cannot take over`,
            "promote another region",
          ),
        ]
      : []),
    ...(emitter !== undefined && emitter !== survivor
      ? [
          problem(
            [...at, "webhook_policy", "emit_from"],
            "E152",
            `webhooks would leave from "${emitter}" while "${survivor}" alone may act`,
            `write emit_from: ${survivor}`,
          ),
        ]
      : []),
    ...(areWeights(home.gradual_weights.map(toBp))
      ? []
      : [
          problem(
            [...at, "return_to_home", "gradual_weights"],
            "E153",
            `found ${home.gradual_weights.join(", ")}, expected shares that grow and end with 100`,
            "write [10, 30, 60, 100]",
          ),
        ]),
  ];
}

/** Every region has a place, and every check what it reads. */
function checkPlaces({ spec }: DrillDocument, problem: Report): readonly Problem[] {
  const { places, drill, probes } = spec;
  const missing = drill.regions.filter((name) => places[name] === undefined);
  const foreign = Object.keys(places).filter((name) => !drill.regions.includes(name));
  const asked: readonly (readonly [path: Path, checks: readonly CheckName[]])[] = (
    ["pre", "live", "post"] as const
  ).map((phase) => [["spec", "drill", "checks", phase], drill.checks[phase]]);
  const lacks = (need: string): string | null => {
    if (need === "probe") return probes === undefined ? "spec.probes" : null;
    if (need !== "queue" && need !== "cache") return null;
    const without = drill.regions.find((name) => places[name] !== undefined && places[name]?.[need] === undefined);
    return without === undefined ? null : `spec.places.${without}.${need}`;
  };
  return [
    ...missing.map((name) =>
      problem(["spec", "places"], "E154", `missing spec.places.${name}, expected where the region is`),
    ),
    ...foreign.map((name) =>
      problem(["spec", "places", name], "E150", `unknown region "${name}"; ${suggestion(name, drill.regions)}`),
    ),
    ...asked.flatMap(([path, names]) =>
      names.flatMap((name, place) => {
        const lacking = lacks(CHECKS[name].needs);
        if (lacking === null) return [];
        const message = `check ${name} (${CHECKS[name].asks}) needs ${lacking}, which is missing`;
        return [problem([...path, place], "E155", message, `give ${lacking}, or leave ${name} out of the checks`)];
      }),
    ),
    ...(drill.return_to_home.rebuild_follower && places[drill.evacuate] && !places[drill.evacuate]?.rebuild
      ? [
          problem(
            ["spec", "places", drill.evacuate],
            "E155",
            `rebuild_follower needs spec.places.${drill.evacuate}.rebuild, which is missing`,
            "give an address that builds the index again, or write rebuild_follower: false",
          ),
        ]
      : []),
    ...checkFault(spec, problem),
    ...(drill.return_to_home.purge_cache && places[drill.evacuate] && !places[drill.evacuate]?.cache
      ? [
          problem(
            ["spec", "places", drill.evacuate],
            "E155",
            `purge_cache needs spec.places.${drill.evacuate}.cache, which is missing`,
            "give the cache of the region, or write purge_cache: false",
          ),
        ]
      : []),
  ];
}

/** A type that breaks something needs an agent that does it, and what is skewed a way to build it again. */
function checkFault({ type, places, drill }: DrillDocument["spec"], problem: Report): readonly Problem[] {
  const { evacuate } = drill;
  const place = places[evacuate];
  if (type === undefined || type === "E" || place === undefined) return [];
  const lacks = (key: string, does: string) =>
    problem(
      ["spec", "type"],
      "E155",
      `type ${type} needs spec.places.${evacuate}.${key}, which is missing`,
      `give an address that ${does}, or leave the type out`,
    );
  return [
    ...(place.faults === undefined ? [lacks("faults", "breaks the region, such as sluice drill fault-proxy")] : []),
    ...(type === "C" && place.rebuild === undefined ? [lacks("rebuild", "builds the index again")] : []),
  ];
}

function checkPermission({ spec }: DrillDocument, problem: Report): readonly Problem[] {
  const { freezeWindows, schedule, blastRadiusPercent, drill } = spec;
  const radius = blastRadius(drill);
  const patterns: readonly (readonly [Path, string | undefined])[] = [
    [["spec", "schedule"], schedule],
    ...freezeWindows.map(({ cron }, at) => [["spec", "freezeWindows", at, "cron"], cron] as const),
  ];
  const unread = patterns.flatMap(([path, pattern]) => {
    const why = pattern === undefined ? null : whyNoPattern(pattern);
    return why === null
      ? []
      : [problem(path, "E156", `found "${pattern}", expected a cron pattern: ${why}`, "such as 0 3 * * TUE")];
  });
  const long = freezeWindows.flatMap(({ for: forMs }, at) =>
    forMs <= 7 * 86_400_000
      ? []
      : [
          problem(
            ["spec", "freezeWindows", at, "for"],
            "E156",
            `found ${formatDurationMs(forMs)}, expected 168h at most`,
          ),
        ],
  );
  if (radius <= toBp(blastRadiusPercent)) return [...unread, ...long];
  const message = `one of ${drill.regions.length} regions is ${radius / 100} % of them, more than ${blastRadiusPercent} % may be out of service`;
  return [...unread, ...long, problem(["spec", "blastRadiusPercent"], "E157", message, "raise it, or add a region")];
}

/** What a plan needs beside its document. */
interface PlanContext {
  readonly generation: number;
  readonly documentDigest: string;
  /** Absolute path of the questions; null where the document names none. */
  readonly set: string | null;
}

/** The plan of a drill. Of the page's plan alone, regions have no place, so it can be shown and not be run. */
export function planDrill(read: ReadDrill, context: PlanContext): DrillPlan {
  const spec = read.kind === "document" ? read.document.spec : null;
  const drill = read.kind === "document" ? read.document.spec.drill : read.plan;
  const { regions, routing, rag_probe: probe, webhook_policy: webhook, return_to_home: home } = drill;
  return {
    generation: context.generation,
    documentDigest: context.documentDigest,
    drillId: read.kind === "document" ? read.document.metadata.name : `evacuate-${drill.evacuate}`,
    service: spec?.service ?? "",
    regions: regions.map((name) => regionPlan(name, regions, spec?.places[name])),
    evacuate: drill.evacuate,
    survivor: drill.promote_survivor,
    routing: {
      mode: routing.mode,
      stickMs: routing.stick_minutes * 60_000,
      hysteresisMs: Math.round(routing.hysteresis_s * 1_000),
    },
    freezesWrites: drill.freeze_writes_on_followers,
    checks: drill.checks,
    probe: {
      k: probe.k,
      dualhomeK: probe.dualhome_k,
      deltaSRisk: probe.delta_s_risk,
      coverageMin: probe.coverage_min,
      set: context.set,
    },
    webhook: webhook === undefined ? null : { emitFrom: webhook.emit_from, dedupeKey: webhook.dedupe_key },
    home: {
      rebuild: home.rebuild_follower,
      purgeCache: home.purge_cache,
      weightsBp: home.gradual_weights.map(toBp),
    },
    limits: limitsOf(spec),
    times: timesOf(spec),
    permission: permissionOf(spec),
    fault: faultOf(spec),
    fromEpoch: 0,
  };
}

type Spec = DrillDocument["spec"] | null;

/** What a document has that says nothing of it; `drill-schema.ts` has the same for one that stands in a document. */
function limitsOf(spec: Spec): DrillLimits {
  const limits = spec?.limits ?? { p95Ratio: 1.25, errorPercent: 1, backlog: 100, hotKeys: 20 };
  const { p95Ratio, errorPercent, backlog, hotKeys } = limits;
  return { p95Ratio, errorShare: errorPercent / 100, backlog, hotKeys };
}

function timesOf(spec: Spec): DrillTimes {
  return {
    cutoverMs: spec?.times.cutover ?? 30_000,
    stepWithinMs: spec?.times.stepWithin ?? 20_000,
    observeMs: spec?.times.observe ?? 60_000,
    rebuildMs: spec?.times.rebuild ?? 600_000,
    holdMs: spec?.times.hold ?? 60_000,
  };
}

/** What a type breaks. @source page 004, "Drill types you should run" */
function faultOf(spec: Spec): DrillFault | null {
  if (spec?.type === undefined) return null;
  const { type, fault, places, drill } = spec;
  const agentUrl = places[drill.evacuate]?.faults ?? null;
  const faults: Readonly<Record<typeof type, Fault | null>> = {
    A: { kind: "brownout", delayMs: fault.delay, errorShare: fault.errorPercent / 100 },
    B: { kind: "blackhole" },
    C: { kind: "skew", field: fault.skew },
    D: { kind: "reroute" },
    E: null,
  };
  return { type, fault: faults[type], agentUrl };
}

function permissionOf(spec: Spec): DrillPermission {
  return {
    approvals: spec?.approvals ?? 0,
    blastRadiusBp: toBp(spec?.blastRadiusPercent ?? 50),
    freezeWindows: (spec?.freezeWindows ?? []).map(({ cron, for: forMs }) => ({ cron, forMs })),
    schedule: spec?.schedule ?? null,
  };
}

type Place = DrillDocument["spec"]["places"][string];

function regionPlan(name: string, regions: readonly string[], place: Place | undefined): DrillRegion {
  const { queue, cache } = place ?? {};
  const reach = ({ driver, url, secretFile }: NonNullable<typeof queue | typeof cache>) => ({
    driver,
    url,
    secretFile: secretFile ?? null,
  });
  return {
    name,
    url: place?.url ?? "",
    healthUrl: place?.health ?? "",
    nearest: place?.nearest ?? regions.filter((other) => other !== name),
    queue: queue === undefined ? null : { ...reach(queue), queue: queue.queue, consumer: queue.consumer },
    cache: cache === undefined ? null : { ...reach(cache), namespace: cache.namespace },
    rebuildUrl: place?.rebuild ?? null,
  };
}
