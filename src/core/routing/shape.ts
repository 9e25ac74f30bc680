import type { Problem } from "../problem.ts";

/** Problems kept of one document: enough to repair it, bounded whatever was sent. */
const PROBLEMS_MAX = 20;
const LONE_SURROGATE = /\p{Surrogate}/u;

type Fields<K extends string, O extends string> = { readonly [key in K]: unknown } & { readonly [key in O]?: unknown };

/**
 * Reads JSON from outside and collects what is wrong with it. Every method returns a value of the right type, so that
 * one pass finds all problems; what was read counts only when `problems` is empty. Objects are closed: a key that is
 * not listed is a problem, `__proto__` included.
 */
export class ShapeReader {
  readonly problems: Problem[] = [];
  readonly #code: string;

  constructor(code: string) {
    this.#code = code;
  }

  refuse(path: string, message: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ code: this.#code, path, message });
  }

  /** An object with exactly these keys, and perhaps the optional ones. */
  object<const K extends string, const O extends string = never>(
    value: unknown,
    path: string,
    keys: readonly K[],
    optional: readonly O[] = [],
  ): Fields<K, O> | null {
    const record = this.record(value, path);
    if (record === null) return null;
    const known: readonly string[] = [...keys, ...optional];
    for (const key of Object.keys(record)) {
      if (!known.includes(key)) this.refuse(join(path, clip(key)), `unknown key, expected ${known.join(", ")}`);
    }
    const missing = keys.filter((key) => !Object.hasOwn(record, key));
    for (const key of missing) this.refuse(join(path, key), "missing");
    return missing.length === 0 ? (record as Fields<K, O>) : null;
  }

  /** An object with any keys, as parsed from JSON. */
  record(value: unknown, path: string): Readonly<Record<string, unknown>> | null {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    this.refuse(path, `found ${describe(value)}, expected an object`);
    return null;
  }

  integer(value: unknown, path: string, max: number): number {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
    this.refuse(path, `found ${describe(value)}, expected an integer 0..${max}`);
    return 0;
  }

  time(value: unknown, path: string): number {
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    this.refuse(path, `found ${describe(value)}, expected milliseconds since 1970`);
    return 0;
  }

  /** Text of 1..`lengthMax` code units that matches `pattern`; `expected` says so in words. */
  text(value: unknown, path: string, lengthMax: number, pattern?: RegExp, expected = "text"): string {
    const fits = typeof value === "string" && value.length >= 1 && value.length <= lengthMax;
    if (fits && !LONE_SURROGATE.test(value) && (pattern === undefined || pattern.test(value))) return value;
    this.refuse(path, `found ${describe(value)}, expected ${expected} of 1..${lengthMax} characters`);
    return "";
  }

  literal<const T extends string | number>(value: unknown, path: string, allowed: readonly T[]): T {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) this.refuse(path, `found ${describe(value)}, expected ${allowed.join(" or ")}`);
    return found ?? (allowed[0] as T);
  }

  /** A list of `min`..`max` items, each read by `item`; no item is read when the list itself is out of bounds. */
  list<T>(
    value: unknown,
    path: string,
    bounds: { readonly min: number; readonly max: number },
    item: (value: unknown, path: string) => T,
  ): readonly T[] {
    if (Array.isArray(value) && value.length >= bounds.min && value.length <= bounds.max) {
      return value.map((entry, index) => item(entry, `${path}[${index}]`));
    }
    const found = Array.isArray(value) ? `${value.length} items` : describe(value);
    this.refuse(path, `found ${found}, expected a list of ${bounds.min}..${bounds.max} items`);
    return [];
  }

  /** Refuses the second copy of an item. */
  unique(items: readonly string[], path: string): void {
    const seen = new Set<string>();
    for (const item of items) {
      if (seen.has(item)) this.refuse(path, `"${clip(item)}" is listed twice`);
      seen.add(item);
    }
  }
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function clip(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}

function describe(value: unknown): string {
  if (typeof value === "string") return `"${clip(value)}"`;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
