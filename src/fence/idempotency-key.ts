/** Longest key in characters. */
const KEY_MAX = 255;
/** Visible ASCII: no space, no control character. */
const VISIBLE = /^[\x21-\x7e]+$/;

export type KeyHeader =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "missing" }
  /** `reason` completes the sentence "Idempotency-Key …". */
  | { readonly kind: "invalid"; readonly reason: string };

const invalid = (reason: string): KeyHeader => ({ kind: "invalid", reason });

/** The text between the quotes of a structured-field string, or null when the quoting is broken. */
function unquote(field: string): string | null {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(field);
  return quoted === null ? null : (quoted[1] as string).replace(/\\(["\\])/g, "$1");
}

/**
 * Reads an `Idempotency-Key` header: a structured-field string (`"8e03978e"`) or the same text without quotes. Both
 * spellings are one key. Parameters after the string are refused, because two clients may mean different things by
 * them.
 * @source draft-ietf-httpapi-idempotency-key-header; RFC 9651 §3.3.3
 */
export function parseIdempotencyKey(header: string | null): KeyHeader {
  const field = header?.trim() ?? "";
  if (field === "") return { kind: "missing" };
  const key = field.startsWith('"') ? unquote(field) : field;
  if (key === null) return invalid("is not a well-formed quoted string");
  if (key === "") return invalid("is empty");
  if (key.length > KEY_MAX) return invalid(`has ${key.length} characters, at most ${KEY_MAX} are allowed`);
  return VISIBLE.test(key)
    ? { kind: "key", key }
    : invalid("holds a character that is not visible ASCII (one key, no spaces)");
}
