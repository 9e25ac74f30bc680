import type { Bp } from "../unit.ts";
import type { ShapeReader } from "./shape.ts";

/**
 * How the candidate gets copies of requests that stable answers. A document that has it gives the candidate no user,
 * by no rule: what is copied is answered a second time, and that answer reaches nobody.
 */
export interface ShadowOrder {
  /** Part of the requests that may be copied, in basis points. */
  readonly shareBp: Bp;
  /** Copies a second of one data plane at most. */
  readonly perSecond: number;
  /** Copies that one data plane has running at the candidate at a time. */
  readonly inFlight: number;
  /** A request with a longer body is not copied. */
  readonly bodyBytes: number;
  /** For the whole answer to a copy. */
  readonly timeoutMs: number;
  /** Methods of requests that may be copied, in upper case. */
  readonly methods: readonly string[];
  /** Beginnings of the paths that may be copied; empty: every path. */
  readonly paths: readonly string[];
  /** Headers a copy keeps beside those that describe its content, in lower case. */
  readonly headers: readonly string[];
  /** `deny`: the fence refuses what has effects. `allow`: the candidate has a world of its own to act in. */
  readonly effects: "deny" | "allow";
}

export const SHADOW_LIMITS = {
  perSecond: 10_000,
  inFlight: 256,
  bodyBytes: 1_048_576,
  timeoutMs: 600_000,
  methods: 8,
  paths: 64,
  headers: 32,
} as const;

export const SHADOW_METHOD = /^[A-Z]{1,16}$/;
/** A path without query; visible ASCII. */
export const SHADOW_PATH = /^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** Reads a shadow order of a document that arrived; what is wrong goes to `shape`. */
export function readShadow(shape: ShapeReader, json: unknown, isHeaderAllowed: (name: string) => boolean): ShadowOrder {
  const keys = ["shareBp", "perSecond", "inFlight", "bodyBytes", "timeoutMs"] as const;
  const fields = shape.object(json, "shadow", [...keys, "methods", "paths", "headers", "effects"]);
  const atLeastOne = (name: (typeof keys)[number], max: number): number => {
    const read = shape.integer(fields?.[name], `shadow.${name}`, max);
    if (fields?.[name] === 0) shape.refuse(`shadow.${name}`, "found 0, expected at least 1");
    return read;
  };
  return {
    shareBp: atLeastOne("shareBp", 10_000) as Bp,
    perSecond: atLeastOne("perSecond", SHADOW_LIMITS.perSecond),
    inFlight: atLeastOne("inFlight", SHADOW_LIMITS.inFlight),
    bodyBytes: shape.integer(fields?.bodyBytes, "shadow.bodyBytes", SHADOW_LIMITS.bodyBytes),
    timeoutMs: atLeastOne("timeoutMs", SHADOW_LIMITS.timeoutMs),
    methods: shape.list(fields?.methods, "shadow.methods", { min: 1, max: SHADOW_LIMITS.methods }, (method, path) =>
      shape.text(method, path, 16, SHADOW_METHOD, "a method in upper case"),
    ),
    paths: shape.list(fields?.paths, "shadow.paths", { min: 0, max: SHADOW_LIMITS.paths }, (start, path) =>
      shape.text(start, path, 1_024, SHADOW_PATH, "a path that begins with /"),
    ),
    headers: shape.list(fields?.headers, "shadow.headers", { min: 0, max: SHADOW_LIMITS.headers }, (header, path) => {
      const name = shape.text(header, path, 128, HEADER_NAME, "a header name in lower case");
      if (name !== "" && !isHeaderAllowed(name)) shape.refuse(path, `"${name}" may not be in a copy`);
      return name;
    }),
    effects: shape.literal(fields?.effects, "shadow.effects", ["deny", "allow"]),
  };
}
