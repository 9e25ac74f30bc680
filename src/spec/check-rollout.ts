import { SERVING_ARMS } from "../core/arm.ts";
import { suggestion } from "../core/did-you-mean.ts";
import type { Gate } from "../core/judge/definition.ts";
import { segmentErrors } from "../core/judge/errors/segment-errors.ts";
import { findGate, GATES, isProbeGate } from "../core/judge/gates.ts";
import type { Problem } from "../core/problem.ts";
import { mayNameUnit } from "../core/routing/headers.ts";
import { isOwnAddress } from "./check-addresses.ts";
import { gatesOfChange } from "./preset/change-type.ts";
import { growthOf } from "./pace-document.ts";
import { optionsSchema } from "./gate-schema.ts";
import { checkMetricSource } from "./check-metric-source.ts";
import { normalUrl } from "./normal-url.ts";
import { gateEntry, type RolloutDocument, stableDocument, stickyCookie } from "./rollout-schema.ts";
import type { Report } from "./report.ts";
import { valueAt } from "./shape.ts";
import { type Path, pathText, type Source } from "./source.ts";

/** Above this share a stage may not go on without proof (decision-policy.md). */
const PROCEED_BELOW_PERCENT = 25;
/** A dialog lasts longer. */
const STICKY_LEAST_MS = 60_000;

/** Rules between the fields of a document that is well formed: what each value may be is the schema's business. */
export function checkRollout(document: RolloutDocument, source: Source): readonly Problem[] {
  const problem = (path: Path, code: string, message: string, fix?: string): Problem => ({
    code,
    path: pathText(path),
    at: source.locate(path),
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  return [
    ...checkArms(document, problem),
    ...checkIdentity(document, problem),
    ...checkStickyFor(document, problem),
    ...checkSegments(document, problem),
    ...checkStrategy(document, problem),
    ...checkSteps(document, problem),
    ...checkGates(document, source, problem),
    ...checkMetrics(document, problem),
    ...checkChangeTypes(document, problem),
    ...checkListen(document, problem),
  ];
}

/** What is wrong inside the entries of `gates` that have their shape, for a document that is wrong elsewhere. */
export function checkGateEntries(source: Source): readonly Problem[] {
  const entries = valueAt(source.value, ["spec", "gates"]);
  const problem: Report = (path, code, message) => ({ code, path: pathText(path), at: source.locate(path), message });
  return (Array.isArray(entries) ? entries : []).flatMap((entry: unknown, index) => {
    const parsed = gateEntry.safeParse(entry);
    return parsed.success ? checkEntry(parsed.data, ["spec", "gates", index], source, problem) : [];
  });
}

/** A gateway on an arm's own address would send that arm's requests to itself. */
function checkListen(document: RolloutDocument, problem: Report): readonly Problem[] {
  const { route, candidate } = document.spec;
  const { listen } = route;
  const arms = { stable: stableDocument(document), candidate };
  return SERVING_ARMS.flatMap((arm) => {
    const url = arms[arm]?.url;
    if (listen === undefined || url === undefined || !isOwnAddress(listen, url)) return [];
    const message = `the gateway would listen on ${listen}, where ${arm} itself is (${url})`;
    return [problem(["spec", "route", "listen"], "E130", message, "give the gateway a port of its own")];
  });
}

function checkArms(document: RolloutDocument, problem: Report): readonly Problem[] {
  const { spec } = document;
  const problems: Problem[] = [];
  const stable = stableDocument(document);
  const stableKey = spec.stable === "current" ? "startsFrom" : "stable";
  if (spec.startsFrom !== undefined && spec.stable !== "current") {
    const message = "startsFrom is read only beside `stable: current`; this document says what stable is";
    problems.push(problem(["spec", "startsFrom"], "E126", message, "remove startsFrom, or write `stable: current`"));
  }
  if (stable !== null && normalUrl(stable.url) === normalUrl(spec.candidate.url)) {
    const message = "stable and candidate have the same url, so there is nothing to compare";
    problems.push(problem(["spec", "candidate", "url"], "E110", message, "give the candidate its own address"));
  }
  for (const arm of SERVING_ARMS) {
    const range = (arm === "stable" ? stable : spec.candidate)?.serves?.schemaRev;
    if (range === undefined || Number(range.min.slice(3)) <= Number(range.max.slice(3))) continue;
    const message = `serves from ${range.min} to ${range.max}, which is no revision at all`;
    problems.push(
      problem(
        ["spec", arm === "stable" ? stableKey : arm, "serves", "schemaRev"],
        "E125",
        message,
        "put the lower revision first",
      ),
    );
  }
  const { cachePrefix } = spec.candidate;
  if (cachePrefix !== undefined && cachePrefix === stable?.cachePrefix) {
    const message = `both arms use the cache prefix "${cachePrefix}"; shared keys let one arm read what the other wrote`;
    problems.push(
      problem(["spec", "candidate", "cachePrefix"], "E111", message, "use a different prefix for each arm"),
    );
  }
  return problems;
}

/** Segments have names of their own and are read from fields that reach the service; a gate for none is a mistake. */
function checkSegments({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const segments = spec.segments ?? [];
  const names = segments.map(({ name }) => name);
  const places = segments.flatMap(({ name, header }, index) => {
    const at = ["spec", "segments", index] as const;
    if (names.indexOf(name) !== index) return [problem([...at, "name"], "E133", `a second segment is named "${name}"`)];
    if (header === undefined || mayNameUnit(header)) return [];
    const message = `"${header}" is a header the gateway keeps for itself`;
    return [problem([...at, "header"], "E133", message, "name a header that your clients or your proxy set")];
  });
  const asked = spec.gates.flatMap(({ gate }, index) =>
    gate === segmentErrors.name && segments.length === 0
      ? [problem(["spec", "gates", index], "E133", `${gate} has no segments to tell apart`, "add spec.segments")]
      : [],
  );
  return [...places, ...asked];
}

function checkIdentity({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const { stickyBy } = spec.route;
  const trusted = spec.route.trustedHeaders.map((header) => header.toLowerCase());
  return stickyBy.flatMap((one, index) => {
    const at = ["spec", "route", "stickyBy", index] as const;
    if ("cookie" in one) {
      if (index === stickyBy.length - 1) return [];
      const message = `cookie "${one.cookie}" is not the last of stickyBy; only who has no header is a visitor`;
      return [problem([...at, "cookie"], "E131", message, "name one cookie at most, after all headers")];
    }
    if (trusted.includes(one.header.toLowerCase())) return [];
    const message = `header "${one.header}" is not in trustedHeaders; anybody could choose an arm by sending it`;
    const fix = `add "${one.header}" to spec.route.trustedHeaders when your own proxy sets it after authentication`;
    return [problem([...at, "header"], "E112", message, fix)];
  });
}

/** A duration that nothing reads would be a promise that nobody keeps. */
function checkStickyFor({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const { route } = spec;
  if (route.stickyFor === undefined) return [];
  const at = ["spec", "route", "stickyFor"] as const;
  if (stickyCookie(route) === null) {
    const message =
      "stickyFor is the lifetime of the visitors' cookie, and stickyBy names none; the hash keeps users for the whole rollout";
    const fix = "remove stickyFor, or add `{ cookie: NAME }` to stickyBy for visitors without a header";
    return [problem(at, "E132", message, fix)];
  }
  if (route.stickyFor >= STICKY_LEAST_MS) return [];
  return [problem(at, "E132", "stickyFor is under a minute, so visitors would change arms in mid-dialog", "write 24h")];
}

/** Steps are climbed one by one, a pace chooses: a rollout does one of both. */
function checkStrategy({ spec: { strategy } }: RolloutDocument, problem: Report): readonly Problem[] {
  if (strategy === undefined) return [];
  const { canary, pace } = strategy;
  if ((canary === undefined) === (pace === undefined)) {
    const found = canary === undefined ? "neither canary steps nor a pace" : "both canary steps and a pace";
    const fix = "keep one: `canary: { steps: … }` for fixed shares, `pace: evidence` for chosen ones; or no strategy";
    return [problem(["spec", "strategy"], "E135", `the strategy has ${found}`, fix)];
  }
  if (pace === undefined || pace === "evidence") return [];
  const { fastest, slowest } = growthOf(pace);
  if (fastest >= slowest) return [];
  const message = `the fastest growth (${fastest}) is below the slowest (${slowest}), so no share could follow`;
  return [problem(["spec", "strategy", "pace", "fastest"], "E136", message, `write fastest: ${slowest} or more`)];
}

function checkSteps({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const problems: Problem[] = [];
  const steps = spec.strategy?.canary?.steps ?? [];
  let lastPercent = 0;
  steps.forEach((step, index) => {
    const at = ["spec", "strategy", "canary", "steps", index] as const;
    if ((step.probes === undefined) === (step.weight === undefined)) {
      problems.push(problem(at, "E113", "a step has either probes or weight, exactly one of them"));
      return;
    }
    if (step.probes !== undefined) {
      if (spec.probes === undefined) {
        const fix = "add spec.probes with the gold set, or remove the step";
        problems.push(problem([...at, "probes"], "E114", "the step asks for probes, but spec.probes is missing", fix));
      }
      if (step.hold !== undefined || step.cap !== undefined || step.onCap !== undefined) {
        problems.push(
          problem(at, "E113", "hold, cap and onCap belong to a weight step; a probe step ends when its probes end"),
        );
      }
      return;
    }
    const percent = step.weight ?? 0;
    if (percent <= lastPercent) {
      problems.push(
        problem([...at, "weight"], "E115", `weight ${percent} does not rise above ${lastPercent}; a ladder only rises`),
      );
    }
    lastPercent = percent;
    if (step.onCap === "proceed" && percent >= PROCEED_BELOW_PERCENT) {
      const message = `onCap: proceed is allowed below ${PROCEED_BELOW_PERCENT} %, found it at ${percent} %`;
      problems.push(problem([...at, "onCap"], "E116", message, "use onCap: wait"));
    }
    if (step.cap !== undefined && step.cap < (step.hold ?? 0)) {
      problems.push(
        problem([...at, "cap"], "E117", "cap is shorter than hold, so the stage could never be proven in time"),
      );
    }
  });
  const isLast = (index: number) => steps.slice(index + 1).every((step) => step.weight === undefined);
  const full = steps.findIndex((step) => step.weight === 100);
  if (full >= 0 && !(isLast(full) && full === steps.length - 1)) {
    problems.push(
      problem(["spec", "strategy", "canary", "steps", full], "E115", "100 % is the last step; nothing may follow it"),
    );
  }
  return problems;
}

function checkGates({ spec }: RolloutDocument, source: Source, problem: Report): readonly Problem[] {
  const problems = spec.gates.flatMap((entry, index) => [
    ...checkEntry(entry, ["spec", "gates", index], source, problem),
    ...checkRange(entry, ["spec", "gates", index], problem),
    ...checkRules(entry, ["spec", "gates", index], problem),
  ]);
  if (!spec.gates.some((entry) => entry.use !== undefined || entry.strictestOf !== undefined)) {
    const message = "no preset is used; a rollout without one has no error gate";
    problems.push(problem(["spec", "gates"], "E118", message, "add `- use: default` and put your own gates after it"));
  }
  const named = spec.gates.map((entry) => (gateOf(entry)?.instanceBy === "name" ? entry : undefined));
  named.forEach((entry, index) => {
    const isSecond = named.findIndex((one) => one?.gate === entry?.gate && one?.name === entry?.name) !== index;
    if (entry?.name === undefined || !isSecond) return;
    const message = `a second ${entry.gate} gate is named "${entry.name}"`;
    problems.push(problem(["spec", "gates", index, "name"], "E120", message));
  });
  return problems;
}

type GateEntry = RolloutDocument["spec"]["gates"][number];

function gateOf({ gate }: GateEntry): Gate | null {
  return gate === undefined ? null : findGate(gate);
}

/** Exactly one of a preset, several presets and a gate; options only beside a gate, and only those it knows. */
function checkEntry(entry: GateEntry, at: Path, source: Source, problem: Report): readonly Problem[] {
  const { use, strictestOf, gate, name, within, ...options } = entry;
  if ([use, strictestOf, gate].filter((one) => one !== undefined).length !== 1) {
    const message = "an entry of gates has either use, strictestOf (presets) or gate (one gate), exactly one of them";
    return [problem(at, "E118", message)];
  }
  const schema = gate === undefined ? null : optionsSchema(gate);
  const known = schema === null ? [] : Object.keys(schema.shape);
  const problems = Object.keys(options)
    .filter((key) => !known.includes(key))
    .map((key): Problem => {
      const message = schema === null ? `unknown key "${key}"; a preset takes no options` : unknownOption(key, known);
      return { code: "E104", path: pathText([...at, key]), at: source.locateKey(at, key), message };
    });
  if (schema === null) {
    if (within !== undefined) problems.push(problem([...at, "within"], "E104", "within belongs to one gate"));
    return problems;
  }
  const isNamed = gateOf(entry)?.instanceBy === "name";
  if (isNamed !== (name !== undefined)) {
    const named = GATES.filter(({ instanceBy }) => instanceBy === "name").map((one) => one.name);
    const message = isNamed ? `a ${gate} gate needs a name` : `only ${named.join(", ")} gates have a name`;
    problems.push(problem(at, "E120", message));
  }
  const parsed = schema.safeParse(options);
  for (const issue of parsed.success ? [] : parsed.error.issues) {
    if (issue.code === "unrecognized_keys" && issue.path.length === 0) continue;
    problems.push(problem([...at, ...(issue.path as (string | number)[])], "E119", `${gate}: ${issue.message}`));
  }
  return problems;
}

function unknownOption(key: string, known: readonly string[]): string {
  return known.length === 0
    ? `unknown key "${key}"; this gate has no options`
    : `unknown key "${key}"; ${suggestion(key, known)}`;
}

function checkRange({ within }: GateEntry, at: Path, problem: Report): readonly Problem[] {
  if (within === undefined || within.from <= within.to) return [];
  return [
    problem([...at, "within"], "E121", `from ${within.from} is above to ${within.to}, so the gate is never asked`),
  ];
}

/** Rules are checked for syntax, names and types before any traffic moves. */
function checkRules(entry: GateEntry, at: Path, problem: Report): readonly Problem[] {
  const gate = gateOf(entry);
  if (gate === null) return [];
  const options = Object.entries(gate.options);
  const rules = options.flatMap(([option, { form }]) => {
    const rule = entry[option];
    if (form.kind !== "rule" || typeof rule !== "string") return [];
    return form.problems(rule).map((message) => problem([...at, option], "E122", message));
  });
  const isRule = options.some(([, { form }]) => form.kind === "rule");
  return isRule && !isTold(gate, entry) ? [...rules, problem(at, "E122", gate.asks ?? "")] : rules;
}

/** Whether an entry says every option that has no default. */
function isTold({ options }: Gate, entry: GateEntry): boolean {
  return Object.entries(options).every(
    ([option, { fallback }]) => fallback !== undefined || entry[option] !== undefined,
  );
}

/** Every metric a gate asks for is defined once, with a stable side where it is compared. */
function checkMetrics({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const metrics = spec.metrics ?? [];
  const names = metrics.map(({ name }) => name);
  const doubled = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [problem(["spec", "metrics", index, "name"], "E123", `a second metric is named "${name}"`)],
  );
  const asked = spec.gates.flatMap((entry, index) => {
    const gate = gateOf(entry);
    const [option] = Object.entries(gate?.options ?? {}).find(([, { form }]) => form.kind === "name") ?? [];
    if (gate === null || option === undefined) return [];
    const at = ["spec", "gates", index] as const;
    const asked = entry[option];
    const metric = metrics.find(({ name }) => name === asked);
    if (typeof asked !== "string" || !isTold(gate, entry)) return [problem(at, "E123", gate.asks ?? "")];
    if (metric === undefined)
      return [problem([...at, option], "E123", `unknown metric "${asked}"; ${suggestion(asked, names)}`)];
    const isCompared = entry["comparison"] === "ratio" || entry["comparison"] === "difference";
    if (!isCompared || metric.stable !== undefined) return [];
    return [problem([...at, "comparison"], "E123", `metric "${metric.name}" has no query for stable to compare with`)];
  });
  const pointers = metrics.flatMap((metric, index) => {
    if (metric.source !== "http-json") return [];
    return (["candidate", "stable"] as const).flatMap((arm) => {
      const query = metric[arm];
      if (query === undefined || query.startsWith("/")) return [];
      const message = `"${query}" is no JSON pointer, which http-json asks for`;
      return [problem(["spec", "metrics", index, arm], "E123", message, 'begin with "/", e.g. /candidate/queue_age')];
    });
  });
  const sources = metrics.flatMap((metric, index) => checkMetricSource(metric, ["spec", "metrics", index], problem));
  return [...doubled, ...pointers, ...sources, ...asked];
}

/** Answers can only be judged with questions. */
function checkChangeTypes({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const gates = gatesOfChange(spec.changeTypes ?? []).filter(isProbeGate);
  if (gates.length === 0 || spec.probes !== undefined) return [];
  const message = `a change of ${spec.changeTypes?.join(", ")} needs ${gates.join(", ")}, and spec.probes is missing`;
  return [problem(["spec", "changeTypes"], "E124", message, "add spec.probes with the gold set")];
}
