/** Names one value of a JSON document: the keys from its top down. */
export type Pointer = readonly string[];

/** Reads a JSON pointer; null when the text is none. @source RFC 6901 §3 and §4 */
export function parsePointer(text: string): Pointer | null {
  const [before, ...tokens] = text.split("/");
  if (before !== "" || /~(?![01])/.test(text)) return null;
  return tokens.map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The value at a pointer, own members only; undefined when there is none. @source RFC 6901 §4 */
export function valueAt(document: unknown, pointer: Pointer): unknown {
  return pointer.reduce((value: unknown, token) => {
    if (typeof value !== "object" || value === null) return undefined;
    if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(token)) return undefined;
    return Object.hasOwn(value, token) ? (value as Readonly<Record<string, unknown>>)[token] : undefined;
  }, document);
}
