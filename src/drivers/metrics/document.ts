const QUOTE_CHARS_MAX = 80;

/** A value as JSON for people, cut where it grows long. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > QUOTE_CHARS_MAX ? `${text.slice(0, QUOTE_CHARS_MAX)}…` : text;
}

/** A body as JSON; null when it is none, because `null` itself is a document. */
export function parseJson(body: string): { readonly document: unknown } | null {
  try {
    return { document: JSON.parse(body) };
  } catch {
    return null;
  }
}
