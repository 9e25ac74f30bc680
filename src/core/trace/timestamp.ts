import { plainDecimal } from "./wire-value.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/**
 * What a number of a size counts, since 1970: seconds from 2001 to 2286, milliseconds from there on and below (traces
 * that begin at 0), microseconds from 1973 in their own size, nanoseconds likewise.
 */
const SECONDS_FROM = 1e9;
const SECONDS_TO = 1e10;
const MICROSECONDS_FROM = 1e14;
const NANOSECONDS_FROM = 1e17;
const NANOSECONDS_TO = 1e19;
const NUMBER = /^\d+(?:\.\d+)?$/;

/**
 * Time of an event in ms since the epoch: ISO 8601 with a time zone, or a number of seconds, milliseconds,
 * microseconds or nanoseconds, be it as text. NaN for everything else, and for times before 1970.
 */
export function timestampMs(value: unknown): number {
  if (typeof value === "number") return epochMs(value);
  if (typeof value !== "string") return Number.NaN;
  if (value.charCodeAt(4) === DASH) return isoMs(value);
  const number = plainDecimal(value);
  if (!Number.isNaN(number)) return epochMs(number);
  return NUMBER.test(value) ? epochMs(Number(value)) : Number.NaN;
}

function epochMs(value: number): number {
  if (!(value >= 0 && value < NANOSECONDS_TO)) return Number.NaN;
  if (value < MICROSECONDS_FROM) return value >= SECONDS_FROM && value < SECONDS_TO ? value * 1_000 : value;
  return value < NANOSECONDS_FROM ? value / 1_000 : value / 1e6;
}

/**
 * `2025-08-28T04:00:00.250Z`, with any number of decimals or none, with or without seconds, with `Z` or an offset such
 * as `+02:00`. Reads characters in place: this runs once an event. NaN when it is anything else.
 * @source ISO 8601-1:2019 extended format, as profiled by RFC 3339
 */
function isoMs(text: string): number {
  if (text.charCodeAt(7) !== DASH || !isGap(text.charCodeAt(10))) return Number.NaN;
  if (text.charCodeAt(13) !== COLON) return Number.NaN;
  const dayMs = dateMs(100 * pair(text, 0) + pair(text, 2), pair(text, 5), pair(text, 8));
  const hour = pair(text, 11);
  const minute = pair(text, 14);
  let at = 16;
  let second = 0;
  let fractionMs = 0;
  if (text.charCodeAt(at) === COLON) {
    second = pair(text, at + 1);
    at += 3;
    const mark = text.charCodeAt(at);
    if (mark === POINT || mark === COMMA) {
      const first = text.charCodeAt(++at) - ZERO;
      if (!isDigit(first)) return Number.NaN;
      let weight = 100;
      for (let digit = first; isDigit(digit); digit = text.charCodeAt(++at) - ZERO) {
        fractionMs += digit * weight;
        weight = weight === 100 ? 10 : weight === 10 ? 1 : 0; // Less than a millisecond tells nothing apart.
      }
    }
  }
  if (!(isIn(hour, 24) && isIn(minute, 59) && isIn(second, 60))) return Number.NaN;
  const ms = dayMs + hour * HOUR_MS + minute * MINUTE_MS + second * 1_000 + fractionMs - zoneMs(text, at);
  return ms >= 0 ? ms : Number.NaN;
}

const ZERO = 48;
const DASH = 45;
const PLUS = 43;
const COLON = 58;
const POINT = 46;
const COMMA = 44;

/** `T`, `t` or a space, as RFC 3339 allows. */
function isGap(code: number): boolean {
  return code === 84 || code === 116 || code === 32;
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
}

function isIn(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

/** So far below 0 that it stays there whatever else a number is made of. Whole, unlike NaN, which is slower. */
const NO_PAIR = -100_000;

/** Two digits as a number; `NO_PAIR` when they are none. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return isDigit(tens) && isDigit(ones) ? 10 * tens + ones : NO_PAIR;
}

/** Offset of the zone that ends the text, in ms; NaN when it does not end there or names none. */
function zoneMs(text: string, at: number): number {
  const mark = text.charCodeAt(at);
  if (mark === 90 || mark === 122) return text.length === at + 1 ? 0 : Number.NaN;
  if (mark !== PLUS && mark !== DASH) return Number.NaN;
  const hours = pair(text, at + 1);
  const isBare = text.length === at + 3;
  const minutes = isBare ? 0 : pair(text, text.charCodeAt(at + 3) === COLON ? at + 4 : at + 3);
  const end = at + (text.charCodeAt(at + 3) === COLON ? 6 : 5);
  if (!(isBare || text.length === end) || !(isIn(hours, 23) && isIn(minutes, 59))) return Number.NaN;
  return (mark === PLUS ? 1 : -1) * (hours * HOUR_MS + minutes * MINUTE_MS);
}

/**
 * Midnight of a date in ms since the epoch; NaN for a day that does not exist.
 * @source H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil
 */
function dateMs(year: number, month: number, day: number): number {
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return Number.NaN;
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (era * 146_097 + dayOfEra - 719_468) * DAY_MS;
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
