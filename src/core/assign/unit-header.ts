import type { UnitIdentity } from "../routing/document.ts";

const BEYOND_ASCII = /[\u0080-\uffff]/;
/** Not `trim()`: that takes the byte A0 for a space, which ends "à". */
const OPTIONAL_WHITE_SPACE = /^[ \t]+|[ \t]+$/g;
const BEYOND_LATIN1 = /[\u0100-\uffff]/;

/**
 * Headers that may name the unit, lower case, in the order they are tried: `stickyBy` without what `trustedHeaders`
 * does not list.
 * @source definitions.md §9
 */
export function unitHeadersOf(identity: UnitIdentity): readonly string[] {
  const trusted = new Set(identity.trustedHeaders.map((name) => name.toLowerCase()));
  return identity.stickyBy.map((name) => name.toLowerCase()).filter((name) => trusted.has(name));
}

/**
 * The unit a header value names, or null when it names none. Header APIs hand out bytes as Latin-1 code units; bytes
 * beyond ASCII are read as UTF-8, so that the bucket hash sees what was on the wire, as HAProxy does. A value that is
 * empty, or not UTF-8, is no unit: its request goes to stable.
 */
export function unitOfHeader(value: string): string | null {
  const text = value.replace(OPTIONAL_WHITE_SPACE, "");
  if (text === "") return null;
  if (!BEYOND_ASCII.test(text) || BEYOND_LATIN1.test(text)) return text; // Beyond Latin-1 it is text already.
  const escaped = text.replace(/[^A-Za-z0-9]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(2, "0")}`);
  try {
    return decodeURIComponent(escaped);
  } catch {
    return null;
  }
}
