/** A value that is there and means nothing: the event's field is told and left out, never taken for its absence. */
export const UNREADABLE = Symbol("unreadable");
type Unreadable = typeof UNREADABLE;

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "1", "yes", "y", "on", "t"].map((word) => [word, true] as const),
  ...["false", "0", "no", "n", "off", "f"].map((word) => [word, false] as const),
]);

/** Whether a log writer means "nothing here": null, an empty text, or the dash of access logs. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === "-";
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
  if (typeof value !== "string" || !DECIMAL.test(value.trim())) return UNREADABLE;
  const number = Number(value);
  return Number.isFinite(number) ? number : UNREADABLE;
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
