import type { Problem } from "../core/problem.ts";
import { withoutMark } from "./document-text.ts";
import type { Path, Position, Source } from "./source.ts";

/** A text is no JSON: where it goes wrong and what was expected there. */
interface Fault {
  readonly offset: number;
  readonly expected: string;
}

/** Called for every value and every key with the offset at which it begins. */
type Visit = (path: Path, offset: number, kind: "value" | "key") => void;

/** A value that JSON.parse takes and reads as less than was written. */
interface Loss {
  readonly offset: number;
  readonly message: string;
  /** Where the same key stands first. */
  readonly earlier?: number;
}

const DEPTH_MAX = 200;
const LOSSES_TOLD_MAX = 20;
/** Digits of an integer that every double holds. */
const SAFE_DIGITS = 15;
const INEXACT = "more than a number can hold exactly: put it in quotes";
const INTEGER = /^-?\d+$/;
const BLANKS = /[ \t\n\r]*/y;
const STRING = /"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Parses JSON of any size and remembers where everything stands. What JSON.parse takes and changes in silence is a
 * problem: a key that stands twice, an integer that a double cannot hold.
 * @param code code of the problems
 * @source RFC 8259, §4 on repeated names and §6 on the range of numbers
 */
export function parseJsonSource(text: string, code: string): Source | readonly Problem[] {
  const plain = withoutMark(text);
  let value: unknown;
  try {
    value = JSON.parse(plain);
  } catch {
    const { fault } = scan(plain, () => {});
    const message = `not JSON: ${fault?.expected ?? "it cannot be read"}`;
    return [{ code, path: "", at: placeAt(plain, fault?.offset ?? 0), message }];
  }
  const { fault, losses } = scan(plain, null);
  if (fault !== null) {
    return [{ code, path: "", at: placeAt(plain, fault.offset), message: `not readable: ${fault.expected}` }];
  }
  if (losses.length > 0) {
    return losses.slice(0, LOSSES_TOLD_MAX).map(({ offset, message, earlier }) => {
      const first = earlier === undefined ? "" : `; the first is in line ${placeAt(plain, earlier).line}`;
      return { code, path: "", at: placeAt(plain, offset), message: `${message}${first}` };
    });
  }
  return placed(plain, value);
}

/** A value with its places, looked for when one is asked for first. */
function placed(plain: string, value: unknown): Source {
  const offsets = lazily(() => {
    const found = new Map<string, number>();
    scan(plain, (path, offset, kind) => found.set(placeKey(path, kind), offset));
    return found;
  });
  const locate = (path: Path): Position => {
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
    spelled(path) {
      const offset = offsets().get(placeKey(path, "value"));
      if (offset === undefined) return null;
      SCALAR.lastIndex = offset;
      return SCALAR.exec(plain)?.[0] ?? null;
    },
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
function placeAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

/** Walks a JSON text. `fault` is null when it is one. @param visit null: only faults and losses are looked for */
function scan(text: string, visit: Visit | null): { readonly fault: Fault | null; readonly losses: readonly Loss[] } {
  const walk: Walk = { text, at: 0, visit, losses: [] };
  const fault = scanValue(walk, []);
  if (fault !== null) return { fault, losses: walk.losses };
  skipBlanks(walk);
  const isWhole = walk.at === text.length;
  return { fault: isWhole ? null : faultAt(walk, "expected nothing after the value"), losses: walk.losses };
}

interface Walk {
  readonly text: string;
  readonly visit: Visit | null;
  readonly losses: Loss[];
  at: number;
}

function scanValue(walk: Walk, path: Path): Fault | null {
  skipBlanks(walk);
  walk.visit?.(path, walk.at, "value");
  if (path.length > DEPTH_MAX) return faultAt(walk, `expected at most ${DEPTH_MAX} levels`);
  const sign = walk.text[walk.at];
  if (sign === "{") return scanMembers(walk, path, "}");
  if (sign === "[") return scanMembers(walk, path, "]");
  if (sign === '"') return scanText(walk, "expected a text without broken escapes, up to its closing quote");
  const start = walk.at;
  return take(walk, SCALAR, "expected a value") ?? noteLoss(walk, start);
}

/** An integer that the double nearest to it does not spell was written to be exact, as ids are. */
function noteLoss(walk: Walk, start: number): null {
  if (walk.at - start > SAFE_DIGITS) {
    const literal = walk.text.slice(start, walk.at);
    const isLossy = INTEGER.test(literal) && String(Number(literal)) !== literal;
    if (isLossy) walk.losses.push({ offset: start, message: `${literal} is ${INEXACT}` });
  }
  return null;
}

/** Members of an object or elements of a list, up to and including its end. */
function scanMembers(walk: Walk, path: Path, end: "}" | "]"): Fault | null {
  walk.at++;
  skipBlanks(walk);
  if (walk.text[walk.at] === end) return step(walk);
  const keys = new Map<string, number>();
  for (let index = 0; ; index++) {
    const read = end === "}" ? scanMember(walk, path, keys) : scanValue(walk, [...path, index]);
    if (read !== null) return read;
    skipBlanks(walk);
    if (walk.text[walk.at] === end) return step(walk);
    if (walk.text[walk.at] !== ",") return faultAt(walk, `expected "," or "${end}"`);
    walk.at++;
  }
}

function scanMember(walk: Walk, path: Path, keys: Map<string, number>): Fault | null {
  skipBlanks(walk);
  const start = walk.at;
  const read = scanText(walk, 'expected a key in "quotes"');
  if (read !== null) return read;
  const key = JSON.parse(walk.text.slice(start, walk.at)) as string;
  walk.visit?.([...path, key], start, "key");
  const earlier = keys.get(key);
  if (earlier === undefined) keys.set(key, start);
  else walk.losses.push({ offset: start, message: `key ${JSON.stringify(key)} is used twice`, earlier });
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
