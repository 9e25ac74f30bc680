/** A value that is there and means nothing: the event's field is told and left out, never taken for its absence. */
export const UNREADABLE = Symbol("unreadable");
type Unreadable = typeof UNREADABLE;

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

const ZERO = 48;
const POINT = 46 - ZERO;
const EXACT_DIGITS = 15;
const POWERS_OF_TEN: readonly number[] = Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => Number(`1e${power}`));

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "1", "yes", "y", "on", "t"].map((word) => [word, true] as const),
  ...["false", "0", "no", "n", "off", "f"].map((word) => [word, false] as const),
]);

/** Whether a log writer means "nothing here": null, an empty text, or the dash of access logs. */
export function isAbsent(value: unknown): boolean {
  if (typeof value === "string") return value.length < 2 && (value === "" || value === "-");
  return value === undefined || value === null;
}

/** Yes or no, as JSON, text or number: `true`, `"true"`, `"1"`, `1`, `"yes"`. Null when nothing is there. */
export function readFlag(value: unknown): boolean | null | Unreadable {
  if (typeof value === "boolean") return value;
  if (isAbsent(value)) return null;
  if (value === 1) return true;
  if (value === 0) return false;
  return typeof value === "string" ? (FLAGS.get(value.trim().toLowerCase()) ?? UNREADABLE) : UNREADABLE;
}

/** A finite number, as JSON or decimal text. Null when nothing is there. */
export function readNumber(value: unknown): number | null | Unreadable {
  if (typeof value === "number") return Number.isFinite(value) ? value : UNREADABLE;
  if (isAbsent(value)) return null;
  if (typeof value !== "string") return UNREADABLE;
  const plain = plainDecimal(value);
  if (!Number.isNaN(plain)) return plain;
  if (!DECIMAL.test(value.trim())) return UNREADABLE;
  const number = Number(value);
  return Number.isFinite(number) ? number : UNREADABLE;
}

/**
 * A decimal text of digits and at most one point within them, as nearly every number of a log is; NaN for the others.
 * Exact: so few digits, and the power of ten that divides them, are exact numbers, and a division rounds once.
 */
export function plainDecimal(text: string): number {
  const { length } = text;
  if (length > EXACT_DIGITS) return Number.NaN;
  let digits = 0;
  let point = -1;
  for (let at = 0; at < length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit >= 0 && digit <= 9) digits = digits * 10 + digit;
    else if (digit === POINT && point < 0 && at > 0) point = at;
    else return Number.NaN;
  }
  if (point < 0) return length === 0 ? Number.NaN : digits;
  return point === length - 1 ? Number.NaN : digits / (POWERS_OF_TEN[length - 1 - point] as number);
}

/** A name or label; numbers are names as often as texts. Null when nothing is there. */
export function readText(value: unknown): string | null | Unreadable {
  if (typeof value === "string") return value === "" ? null : value;
  if (value === undefined || value === null) return null;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : UNREADABLE;
}

/** A value as a message quotes it. */
export function shownValue(value: unknown): string {
  if (typeof value === "string") return `"${value.slice(0, 60)}"`;
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}
