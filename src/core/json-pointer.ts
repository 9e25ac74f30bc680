/** A parsed JSON pointer: the keys from the top of a document; an empty list is the whole document. */
export type Pointer = readonly string[];

/** Parses a JSON pointer; null when it is none. @source RFC 6901 §3, §4 */
export function parsePointer(text: string): Pointer | null {
  if (text === "") return [];
  if (!text.startsWith("/") || /~(?![01])/.test(text)) return null;
  return text
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

const INDEX = /^(?:0|[1-9]\d*)$/;

/** The value a pointer names; undefined when there is none. Own members only. @source RFC 6901 §4 */
export function readPointer(document: unknown, pointer: Pointer): unknown {
  let value = document;
  for (const token of pointer) {
    if (Array.isArray(value)) value = INDEX.test(token) ? value[Number(token)] : undefined;
    else if (typeof value === "object" && value !== null && Object.hasOwn(value, token)) {
      value = (value as Record<string, unknown>)[token];
    } else return undefined;
  }
  return value;
}

/**
 * A copy of a document with the value at a pointer replaced; missing objects on the way are made. Null when the way is
 * blocked: a list without that place, or a member that is neither object nor list.
 */
export function writePointer(
  document: unknown,
  pointer: Pointer,
  value: unknown,
): { readonly document: unknown } | null {
  const [token, ...rest] = pointer;
  if (token === undefined) return { document: value };
  if (Array.isArray(document)) {
    if (!INDEX.test(token) || Number(token) >= document.length) return null;
    const inner = writePointer(document[Number(token)], rest, value);
    return inner === null ? null : { document: document.with(Number(token), inner.document) };
  }
  if (document !== undefined && (typeof document !== "object" || document === null)) return null;
  const members = new Map<string, unknown>(Object.entries(document ?? {}));
  const inner = writePointer(members.get(token), rest, value);
  if (inner === null) return null;
  members.set(token, inner.document);
  return { document: Object.fromEntries(members) }; // Defines members, so that "__proto__" stays a plain key.
}
