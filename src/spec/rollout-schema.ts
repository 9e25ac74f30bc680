import { z } from "zod";
import { GATE_NAMES } from "../core/judge/gates.ts";
import { parseAddressBlock, parseIpAddress } from "../core/address/ip-address.ts";
import { DECLARED_FIELDS } from "../core/release/manifest.ts";
import { LEASE_LIMITS } from "../core/routing/document.ts";
import { PIN_TEXT, REVISION } from "../core/routing/schema-lock.ts";
import { SEGMENT_LIMITS, SEGMENT_NAME } from "../core/routing/segments.ts";
import { SHADOW_LIMITS, SHADOW_METHOD, SHADOW_PATH } from "../core/routing/shadow.ts";
import { accessSchema } from "./access-schema.ts";
import { blueGreenSchema, cacheSchema, indexSchema, queueSchema } from "./cutover-document.ts";
import { parseDurationMs } from "./duration.ts";
import { healthMapSchema } from "./health-map-schema.ts";
import { CHANGE_TYPES } from "./preset/change-type.ts";
import { PRESETS } from "./preset/index.ts";

/** A name of a document or a service. */
export const name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "expected lower-case letters, digits and hyphens, at most 63 characters",
  );

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "expected an HTTP header name");

const cookieName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "expected a cookie's name")
  .max(64);

/** A bare number is no duration: 10 could be seconds or minutes. The message names the likely one. */
const notAText = ({ input }: { readonly input?: unknown }): string | undefined =>
  typeof input === "number"
    ? `found ${input}, expected a duration with its unit: write ${input}s or ${input}m`
    : undefined;

/** A length of time as documents write it, in milliseconds. */
export const duration = z.string({ error: notAText }).transform((text, context): number => {
  const ms = parseDurationMs(text);
  if (ms !== null) return ms;
  context.addIssue({
    code: "custom",
    message: `found "${text}", expected a duration with its unit, e.g. 12s, 15m or 1h30m`,
  });
  return z.NEVER;
});

const lease = z.string().transform((text, context): number => {
  const ms = parseDurationMs(text);
  if (ms !== null && ms >= LEASE_LIMITS.minMs && ms <= LEASE_LIMITS.maxMs) return ms;
  const message = `found "${text}", expected a duration from 1s to 10m, e.g. 15s, or off`;
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** An address that is asked over HTTP. */
export const url = z.string().superRefine((text, context) => {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== "" || parsed.hash !== "") {
    const message = `found "${text}", expected an http or https URL without user name and fragment, e.g. http://127.0.0.1:4001/answer`;
    context.addIssue({ code: "custom", message });
  }
});

/** Percent of units with at most two decimals. Divided back, because 0.07 * 100 is 7.000000000000001. */
const weight = z.number().superRefine((percent, context) => {
  const rounded = Math.round(percent * 100);
  if (rounded / 100 !== percent || rounded < 1 || rounded > 10_000) {
    context.addIssue({ code: "custom", message: `found ${percent}, expected 0.01 to 100 with at most two decimals` });
  }
});

const listen = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$/, "expected host:port, e.g. 127.0.0.1:4000")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= 65_535, "expected a port of at most 65535");

const trustedProxy = z
  .string()
  .max(64)
  .refine(
    (text) => parseIpAddress(text) !== null || parseAddressBlock(text) !== null,
    "expected an IP address or a block of them without bits behind its prefix, e.g. 10.0.0.7 or 10.0.0.0/8",
  );

const revision = z.string().regex(REVISION, "expected a schema revision, e.g. sc-12");
const pinText = z.string().regex(PIN_TEXT, "expected visible ASCII, at most 256 characters");

/**
 * What an arm works with: requests pinned to something else go to the other arm. Left out, the arm takes everything.
 */
const serves = z.strictObject({
  schemaRev: z.strictObject({ min: revision, max: revision }).optional(),
  indexHash: z.array(pinText).min(1).max(64).optional(),
  modelTag: z.array(pinText).min(1).max(64).optional(),
});

const arm = z.strictObject({
  /** Where questions are answered; its origin is where traffic goes. */
  url,
  health: url.nullable().optional(),
  release: z.string().min(1).max(200).optional(),
  cachePrefix: z.string().min(1).max(64).optional(),
  serves: serves.optional(),
  /** Replaces spec.access for this arm. */
  access: accessSchema.optional(),
});

const step = z.strictObject({
  probes: z.union([z.literal(true), z.enum(["smoke", "full"])]).optional(),
  weight: weight.optional(),
  hold: duration.optional(),
  cap: duration.optional(),
  onCap: z.enum(["wait", "proceed"]).optional(),
});

const users = z.number().gt(0).max(10_000_000);

/** How the shares are chosen by evidence; `evidence` for all of it as it is by default. */
const pace = z.union([
  z.literal("evidence"),
  z.strictObject({
    /** Users that a bad candidate may harm on average before it is stopped, by how bad it is. */
    harm: z.strictObject({ dead: users.optional(), errors4x: users.optional(), slower40: users.optional() }).optional(),
    /** A proven share grows at most and at least by these factors. */
    fastest: z.number().min(1.1).max(1_000).optional(),
    slowest: z.number().min(1.1).max(100).optional(),
    /** Last share in percent below 100, held for the soak. */
    last: z.number().min(1).max(95).multipleOf(0.01).optional(),
    soak: duration.optional(),
    cap: duration.optional(),
    watch: duration.optional(),
  }),
]);

const preset = z.enum(Object.keys(PRESETS) as [string, ...string[]]);

/** A preset, the strictest of several presets, or one gate with its options beside it. */
export const gateEntry = z.looseObject({
  use: preset.optional(),
  strictestOf: z.array(preset).min(2).max(8).optional(),
  gate: z.enum(GATE_NAMES).optional(),
  /** Name of a custom gate, of which there may be several. */
  name: name.optional(),
  /** Shares in percent at which the gate is asked. */
  within: z.strictObject({ from: z.number().min(0).max(100), to: z.number().min(0).max(100) }).optional(),
});

/** One way of telling users apart for evidence: by a header of the request, or by its path. */
const segment = z
  .strictObject({
    name: z.string().max(SEGMENT_LIMITS.name).regex(SEGMENT_NAME, "expected lower-case letters, digits and hyphens"),
    header: headerName.optional(),
    path: z.literal(true).optional(),
    /** Values leave the gateway as they are; without it a keyed hash of them does. */
    show: z.boolean().optional(),
  })
  .refine(({ header, path }) => (header === undefined) !== (path === undefined), "expected a header, or path: true");

/** Copies of stable's requests for a candidate that has no users yet. */
const shadow = z.strictObject({
  /** Part of the requests that may be copied, in percent. */
  share: weight.optional(),
  maxPerSecond: z.int().min(1).max(SHADOW_LIMITS.perSecond).optional(),
  maxInFlight: z.int().min(1).max(SHADOW_LIMITS.inFlight).optional(),
  maxBodyBytes: z.int().min(0).max(SHADOW_LIMITS.bodyBytes).optional(),
  /** For the whole answer to a copy. */
  timeout: duration.optional(),
  methods: z
    .array(z.string().regex(SHADOW_METHOD, "expected a method in upper case, e.g. GET"))
    .min(1)
    .max(SHADOW_LIMITS.methods)
    .optional(),
  paths: z
    .array(z.string().max(1_024).regex(SHADOW_PATH, "expected a path that begins with /, without a query"))
    .max(SHADOW_LIMITS.paths)
    .optional(),
  /** Headers a copy keeps; cookies and credentials stay behind unless they are named. */
  headers: z.array(headerName.max(128)).max(SHADOW_LIMITS.headers).optional(),
  effects: z.enum(["deny", "allow"]).optional(),
  hold: duration.optional(),
  cap: duration.optional(),
  onCap: z.enum(["wait", "proceed"]).optional(),
});

/** Names of drivers: which there are is told from outside, to the check of names and to the JSON Schema. */
export const metricSourceName = z.string();
export const trafficDriverName = z.string();

/** A number from outside that gates may ask for; queries are in the language of the source. */
const metric = z.strictObject({
  name,
  source: metricSourceName,
  url,
  candidate: z.string().min(1).max(4_096),
  stable: z.string().min(1).max(4_096).optional(),
  /** JSON pointer to the time of the numbers, for a source that reads documents. */
  timestamp: z.string().startsWith("/").max(1_024).optional(),
  /** Absolute path of a file with the bearer token, on the controller's machine. */
  tokenFile: z.string().startsWith("/").max(1_024).optional(),
  access: accessSchema.optional(),
  every: duration.optional(),
  maxAge: duration.optional(),
});

const LABELS_MAX = 64;

const labels = z
  .record(z.string().max(253), z.string().max(1_024))
  .refine((found) => Object.keys(found).length <= LABELS_MAX, { error: `expected at most ${LABELS_MAX} labels` });

/**
 * A Rollout document. Unknown keys are errors everywhere; defaults are filled in by the plan, where `plan` shows them.
 */
export const rolloutSchema = z.strictObject({
  apiVersion: z.literal("sluice/v1"),
  kind: z.literal("Rollout"),
  metadata: z.strictObject({ name, labels: labels.optional() }),
  spec: z.strictObject({
    service: name,
    /** A claim about what users have now, or `current`: whatever that is when the document is applied. */
    stable: z.union([z.literal("current"), arm]),
    /** Where users are before the service's first rollout; only beside `stable: current`, and not read afterwards. */
    startsFrom: arm.optional(),
    candidate: arm,
    /** How the controller gets into both arms, for probes and health. */
    access: accessSchema.optional(),
    /** Where the health answer of both arms says what, when it has another shape. */
    healthMap: healthMapSchema.optional(),
    changes: z.array(z.enum(["RERANK_CONF", ...DECLARED_FIELDS])).optional(),
    /** What kind of change this is; each kind asks for gates of its own. */
    changeTypes: z.array(z.enum(CHANGE_TYPES)).min(1).optional(),
    route: z.strictObject({
      driver: trafficDriverName,
      listen: listen.optional(),
      /** The proxies before the gateway: only they may say who a request is from. */
      trustedProxies: z.array(trustedProxy).max(64).optional(),
      /** A connection to a service that has nothing to do is closed after this. */
      upstreamIdle: duration.optional(),
      trustedHeaders: z.array(headerName).max(16),
      stickyBy: z
        .array(z.union([z.strictObject({ header: headerName }), z.strictObject({ cookie: cookieName })]))
        .min(1)
        .max(16),
      /** Lifetime of the visitors' cookie. */
      stickyFor: duration.optional(),
      allow: z.array(z.string().min(1).max(256)).max(10_000).optional(),
      drain: duration.optional(),
      /** How long a gateway may send users to the candidate without hearing from the controller. */
      lease: z.union([z.literal("off"), lease]).optional(),
    }),
    /** How evidence tells users apart, so that harm to a few of them is found and named. */
    segments: z.array(segment).min(1).max(SEGMENT_LIMITS.sources).optional(),
    /** A stage before the first user: the candidate answers copies of requests, for nobody. */
    shadow: shadow.optional(),
    probes: z
      .strictObject({
        set: z.string().min(1),
        k: z.int().min(1).max(50).optional(),
        repeats: z.int().min(1).max(10).optional(),
        map: z.string().min(1).optional(),
        corpus: z.string().min(1).optional(),
        embedder: z.string().min(1).optional(),
        /** False: the service returns section ids without text, so distances of texts cannot be measured (L3). */
        text: z.boolean().optional(),
        concurrency: z.int().min(1).max(256).optional(),
        rps: z.number().gt(0).max(10_000).optional(),
      })
      .optional(),
    strategy: z
      .strictObject({
        canary: z.strictObject({ steps: z.array(step).min(1).max(32), watch: duration.optional() }).optional(),
        pace: pace.optional(),
        blueGreen: blueGreenSchema(duration).optional(),
      })
      .optional(),
    /** What is cut over beside traffic, with strategy.blueGreen alone. */
    index: indexSchema.optional(),
    queue: queueSchema.optional(),
    cache: cacheSchema.optional(),
    metrics: z.array(metric).max(32).optional(),
    gates: z.array(gateEntry).min(1).max(32),
    onFail: z
      .strictObject({
        do: z.literal("rollback"),
        to: z.enum(["stable", "previous-stage"]).optional(),
        within: duration.optional(),
      })
      .optional(),
  }),
});

export type RolloutDocument = z.infer<typeof rolloutSchema>;
type Route = RolloutDocument["spec"]["route"];

/** The headers that may name the unit, in the order they are tried. */
export function stickyHeaders({ stickyBy }: Pick<Route, "stickyBy">): readonly string[] {
  return stickyBy.flatMap((one) => ("header" in one ? [one.header.toLowerCase()] : []));
}

/** The cookie by which visitors without a unit are known; null for none. */
export function stickyCookie({ stickyBy }: Pick<Route, "stickyBy">): string | null {
  return stickyBy.flatMap((one) => ("cookie" in one ? [one.cookie] : []))[0] ?? null;
}

export type ArmDocument = z.infer<typeof arm>;

/** What the document says of stable; null when it leaves that to the service and gives no first release either. */
export function stableDocument({ spec }: Pick<RolloutDocument, "spec">): ArmDocument | null {
  return spec.stable === "current" ? (spec.startsFrom ?? null) : spec.stable;
}
