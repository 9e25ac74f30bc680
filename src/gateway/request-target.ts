/** Control characters, space, `#`, the backslash, and what is no byte. */
const FORBIDDEN = /[^!"$-[\]-~\u0080-\u00ff]/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?=$|[/?])/i;

/**
 * Path and query to send upstream, or null when the request target may not pass: control characters, a fragment, a
 * backslash (some servers read it as `/`), an authority that is not the one of `Host`, `*`, or no leading `/`.
 * @param target the request target as received
 * @param host   the only `Host` field; null in HTTP/1.0
 * @source RFC 9112 §3.2
 */
export function originForm(target: string, host: string | null): string | null {
  if (FORBIDDEN.test(target)) return null;
  if (target.charCodeAt(0) === 47 /* "/" */) return target;
  const absolute = ABSOLUTE.exec(target);
  if (absolute === null || host === null) return null;
  const [, authority = "", rest = ""] = absolute;
  if (authority === "" || authority.toLowerCase() !== host.toLowerCase()) return null;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** Whether a path has `.` or `..` segments: under an endpoint with a path they would lead out of it. */
export function hasDotSegment(path: string): boolean {
  const query = path.indexOf("?");
  return DOT_SEGMENT.test(query < 0 ? path : path.slice(0, query));
}
