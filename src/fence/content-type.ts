/** A content type in one spelling. */
export interface ContentType {
  /** Lower-case type and parameter names, parameters by name; without the boundary. Null: there was no header. */
  readonly text: string | null;
  /** `multipart/…` only: what separates the parts. */
  readonly boundary: string | null;
}

/** One parameter: a token or a quoted string. @source RFC 9110 §5.6.6 */
const PARAMETER = /^\s*;\s*(?:([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~\w-]*)))?/;

const UTF8: ReadonlySet<string> = new Set(["utf8", "utf-8"]);

/**
 * Reads a content type so that equal meanings are equal texts: `application/json;charset="UTF-8"` and
 * `Application/JSON; charset=utf-8` are one. One that cannot be read stays as it is written.
 */
export function readContentType(header: string | null): ContentType {
  if (header === null) return { text: null, boundary: null };
  const type = /^\s*([^\s;,]+\/[^\s;,]+)/.exec(header);
  if (type === null) return { text: header, boundary: null };
  const parameters = new Map<string, string>();
  let rest = header.slice(type[0].length);
  while (rest.trim() !== "") {
    const match = PARAMETER.exec(rest);
    const name = match?.[1]?.toLowerCase();
    if (match === null || (name !== undefined && parameters.has(name))) return { text: header, boundary: null };
    const value = match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
    if (name !== undefined) parameters.set(name, name === "charset" ? charsetOf(value) : value);
    rest = rest.slice(match[0].length);
  }
  const essence = (type[1] as string).toLowerCase();
  const boundary = essence.startsWith("multipart/") ? (parameters.get("boundary") ?? null) : null;
  if (boundary !== null) parameters.delete("boundary");
  const sorted = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => JSON.stringify(pair));
  return { text: [essence, ...sorted].join(";"), boundary };
}

function charsetOf(value: string): string {
  const name = value.toLowerCase();
  return UTF8.has(name) ? "utf-8" : name;
}
