import { assert } from "./assert.ts";

/** What JSON can say. `undefined`, functions, dates, maps and big integers are not in it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** With the `u` flag a surrogate matches only when its partner is missing. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function canonicalString(text: string): string {
  assert(!LONE_SURROGATE.test(text), "canonical JSON has no lone surrogates; hash bytes or valid text");
  return JSON.stringify(text);
}

function canonicalObject(value: { readonly [key: string]: Json }): string {
  const members = Object.keys(value)
    .sort() // By UTF-16 code units, which is what the RFC asks for.
    .map((key) => `${canonicalString(key)}:${canonicalJson(value[key] as Json)}`);
  return `{${members.join(",")}}`;
}

/**
 * The one JSON text of a value, so that equal values have equal digests whatever the order of their keys.
 * @throws invariant error on NaN, infinities, `undefined`, lone surrogates and values JSON cannot say
 * @source RFC 8785 (JSON Canonicalization Scheme); its §3.2.3 and appendix B samples are in canonical-json.test.ts
 */
export function canonicalJson(value: Json): string {
  switch (typeof value) {
    case "string":
      return canonicalString(value);
    case "number":
      assert(Number.isFinite(value), `canonical JSON has no ${value}`);
      return JSON.stringify(value); // ECMAScript number text is the RFC's; -0 becomes 0.
    case "boolean":
      return value ? "true" : "false";
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${Array.from(value as readonly Json[], canonicalJson).join(",")}]`;
      const prototype: unknown = Object.getPrototypeOf(value);
      assert(prototype === Object.prototype || prototype === null, "canonical JSON takes plain objects only");
      return canonicalObject(value as { readonly [key: string]: Json });
    }
    default:
      assert(false, `canonical JSON has no ${typeof value}`);
  }
}
