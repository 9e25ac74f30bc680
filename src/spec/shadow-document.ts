import type { GateSetting } from "../core/judge/setting.ts";
import { GATES } from "../core/judge/gates.ts";
import type { Problem } from "../core/problem.ts";
import { mayBeInCopy } from "../core/routing/headers.ts";
import { SHADOW_LIMITS, type ShadowOrder } from "../core/routing/shadow.ts";
import type { RolloutPlan, ShadowStage, Stage } from "../core/stage/plan.ts";
import { bp } from "../core/unit.ts";
import type { Report } from "./report.ts";
import type { RolloutDocument } from "./rollout-schema.ts";

type ShadowDocument = RolloutDocument["spec"]["shadow"];

/** What a shadow is when the document is silent; `plan` shows the result. */
const DEFAULTS = {
  sharePercent: 10,
  perSecond: 50,
  inFlight: 16,
  bodyBytes: 65_536,
  timeoutMs: 30_000,
  holdMs: 15 * 60_000,
  capMs: 8 * 3_600_000,
} as const;
/** What reads by definition. @source RFC 9110 §9.2.1 */
const SAFE: readonly string[] = ["GET", "HEAD"];
const SHADOW_GATES = GATES.filter(({ counts }) => counts === "pairs");

export function planShadow(shadow: NonNullable<ShadowDocument>): ShadowOrder {
  return {
    shareBp: bp(Math.round((shadow.share ?? DEFAULTS.sharePercent) * 100)),
    perSecond: shadow.maxPerSecond ?? DEFAULTS.perSecond,
    inFlight: shadow.maxInFlight ?? DEFAULTS.inFlight,
    bodyBytes: shadow.maxBodyBytes ?? DEFAULTS.bodyBytes,
    timeoutMs: shadow.timeout ?? DEFAULTS.timeoutMs,
    methods: shadow.methods ?? SAFE,
    paths: shadow.paths ?? [],
    headers: (shadow.headers ?? []).map((name) => name.toLowerCase()),
    effects: shadow.effects ?? "deny",
  };
}

/** The course with the shadow before the first user; the probes before him come first. */
export function withShadow(
  course: Pick<RolloutPlan, "stages" | "pace">,
  shadow: ShadowDocument,
): Pick<RolloutPlan, "stages" | "pace"> {
  if (shadow === undefined) return course;
  const holdMs = shadow.hold ?? DEFAULTS.holdMs;
  const capMs = Math.max(shadow.cap ?? DEFAULTS.capMs, holdMs);
  const stage: ShadowStage = { kind: "shadow", holdMs, capMs, onCap: shadow.onCap ?? "wait" };
  const first = course.stages.findIndex(({ kind }) => kind !== "probes");
  const stages: readonly Stage[] = [...course.stages.slice(0, first), stage, ...course.stages.slice(first)];
  return { ...course, stages };
}

/** A shadow comes with the gates that read its pairs; without one they have nothing to read. */
export function addShadowGates(shadow: ShadowDocument, settings: Map<string, GateSetting>): void {
  for (const { name: gate, defaults } of SHADOW_GATES) {
    if (shadow === undefined) settings.delete(gate);
    else if (!settings.has(gate)) settings.set(gate, { gate, options: { ...defaults }, source: "spec.shadow" });
  }
}

/** A copy must not write, and a document must not say what nobody does. */
export function checkShadow({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const { shadow } = spec;
  const names = SHADOW_GATES.map(({ name }) => String(name));
  const asked = spec.gates.flatMap(({ gate }, index) =>
    shadow === undefined && gate !== undefined && names.includes(gate)
      ? [problem(["spec", "gates", index], "E137", `${gate} has no pairs to read`, "add spec.shadow")]
      : [],
  );
  if (shadow === undefined) return asked;
  const at = (key: keyof typeof shadow, ...more: readonly number[]) => ["spec", "shadow", key, ...more] as const;
  const writing = (shadow.methods ?? SAFE).filter((method) => !SAFE.includes(method));
  const unnamed =
    writing.length > 0 && (shadow.paths ?? []).length === 0
      ? [
          problem(
            at("methods"),
            "E137",
            `${writing.join(", ")} may write, and a copy would write a second time`,
            "name the paths that only read, e.g. paths: [/answer]",
          ),
        ]
      : [];
  const headers = (shadow.headers ?? []).flatMap((name, index) =>
    mayBeInCopy(name) ? [] : [problem(at("headers", index), "E137", `"${name}" may not be in a copy`)],
  );
  const isTooLong = (shadow.timeout ?? 1) < 1 || (shadow.timeout ?? 0) > SHADOW_LIMITS.timeoutMs;
  const timeout = isTooLong ? [problem(at("timeout"), "E137", "a copy may take 1ms to 10m")] : [];
  const isShort = shadow.cap !== undefined && shadow.cap < (shadow.hold ?? 0);
  const cap = isShort
    ? [problem(at("cap"), "E117", "cap is shorter than hold, so the stage could never be proven in time")]
    : [];
  return [...asked, ...unnamed, ...headers, ...timeout, ...cap];
}
