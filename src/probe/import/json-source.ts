import type { Problem } from "../../core/problem.ts";
import type { Path, Source } from "../../spec/source.ts";

interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text is no JSON: where it goes wrong and what was expected there. */
interface Fault {
  readonly offset: number;
  readonly expected: string;
}

/** Called for every value and every key with the offset at which it begins. */
type Visit = (path: Path, offset: number, kind: "value" | "key") => void;

const DEPTH_MAX = 200;
const BLANKS = /[ \t\n\r]*/y;
const STRING = /"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Parses JSON of any size and remembers where everything stands, which JSON.parse does not tell and the YAML reader
 * only for small texts.
 * @param code code of the problem of a text that is no JSON
 * @source RFC 8259
 */
export function parseJsonSource(text: string, code: string): Source | readonly Problem[] {
  const plain = text.replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = JSON.parse(plain);
  } catch {
    const fault = scan(plain, () => {});
    const message = `not JSON: ${fault?.expected ?? "it cannot be read"}`;
    return [{ code, path: "", at: placeAt(plain, fault?.offset ?? 0), message }];
  }
  const offsets = lazily(() => {
    const found = new Map<string, number>();
    scan(plain, (path, offset, kind) => found.set(placeKey(path, kind), offset));
    return found;
  });
  const locate = (path: Path): Place => {
    for (let length = path.length; length > 0; length--) {
      const offset = offsets().get(placeKey(path.slice(0, length), "value"));
      if (offset !== undefined) return placeAt(plain, offset);
    }
    return placeAt(plain, offsets().get(placeKey([], "value")) ?? 0);
  };
  return {
    text: plain,
    value,
    locate,
    locateKey(path, key) {
      const offset = offsets().get(placeKey([...path, key], "key"));
      return offset === undefined ? locate(path) : placeAt(plain, offset);
    },
  };
}

/** The part of a source under a path, with its places in the whole text. */
export function sourceAt(source: Source, path: Path): Source {
  const value = path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], source.value);
  return {
    text: source.text,
    value,
    locate: (inner) => source.locate([...path, ...inner]),
    locateKey: (inner, key) => source.locateKey([...path, ...inner], key),
  };
}

function placeKey(path: Path, kind: "value" | "key"): string {
  return [kind, ...path].join("\u0000");
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Line and column of an offset, from 1. */
function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

/** Walks a JSON text. Null when it is one; else the first fault. */
function scan(text: string, visit: Visit): Fault | null {
  const walk = { text, at: 0, visit };
  const fault = scanValue(walk, []);
  if (fault !== null) return fault;
  skipBlanks(walk);
  return walk.at === text.length ? null : faultAt(walk, "expected nothing after the value");
}

interface Walk {
  readonly text: string;
  readonly visit: Visit;
  at: number;
}

function scanValue(walk: Walk, path: Path): Fault | null {
  skipBlanks(walk);
  walk.visit(path, walk.at, "value");
  if (path.length > DEPTH_MAX) return faultAt(walk, `expected at most ${DEPTH_MAX} levels`);
  const sign = walk.text[walk.at];
  if (sign === "{") return scanMembers(walk, path, "}");
  if (sign === "[") return scanMembers(walk, path, "]");
  if (sign === '"') return scanText(walk, "expected a text without broken escapes, up to its closing quote");
  return take(walk, SCALAR, "expected a value");
}

/** Members of an object or elements of a list, up to and including its end. */
function scanMembers(walk: Walk, path: Path, end: "}" | "]"): Fault | null {
  walk.at++;
  skipBlanks(walk);
  if (walk.text[walk.at] === end) return step(walk);
  for (let index = 0; ; index++) {
    const read = end === "}" ? scanMember(walk, path) : scanValue(walk, [...path, index]);
    if (read !== null) return read;
    skipBlanks(walk);
    if (walk.text[walk.at] === end) return step(walk);
    if (walk.text[walk.at] !== ",") return faultAt(walk, `expected "," or "${end}"`);
    walk.at++;
  }
}

function scanMember(walk: Walk, path: Path): Fault | null {
  skipBlanks(walk);
  const start = walk.at;
  const read = scanText(walk, 'expected a key in "quotes"');
  if (read !== null) return read;
  const key = JSON.parse(walk.text.slice(start, walk.at)) as string;
  walk.visit([...path, key], start, "key");
  skipBlanks(walk);
  if (walk.text[walk.at] !== ":") return faultAt(walk, 'expected ":"');
  walk.at++;
  return scanValue(walk, [...path, key]);
}

function scanText(walk: Walk, expected: string): Fault | null {
  const start = walk.at;
  const read = take(walk, STRING, expected);
  for (let at = start; read === null && at < walk.at; at++) {
    if (walk.text.charCodeAt(at) >= 0x20) continue;
    walk.at = at;
    return faultAt(walk, "expected a text without line breaks and bare control characters");
  }
  return read;
}

function skipBlanks(walk: Walk): void {
  take(walk, BLANKS, "");
}

function take(walk: Walk, pattern: RegExp, expected: string): Fault | null {
  pattern.lastIndex = walk.at;
  const match = pattern.exec(walk.text);
  if (match === null) return faultAt(walk, expected);
  walk.at += match[0].length;
  return null;
}

function step(walk: Walk): null {
  walk.at++;
  return null;
}

function faultAt({ text, at }: Walk, expected: string): Fault {
  const found = at >= text.length ? "the text ends" : `found ${JSON.stringify(text.slice(at, at + 12))}`;
  return { offset: at, expected: `${found}, ${expected}` };
}
