/** How much of an answer that could not be used is kept for people. */
const EXCERPT_BYTES = 200;

/** A body as text, or the beginning of one. */
export interface BodyText {
  readonly text: string;
  /** False when more than the limit came; the rest is unread. */
  readonly isWhole: boolean;
}

/**
 * Reads at most `bytesMax` bytes of a body. A connection that breaks rejects where the body `matters`, and else ends the
 * text: of a refusal the status is what counts.
 */
export async function readBody(response: Response, bytesMax: number, matters: boolean): Promise<BodyText> {
  const reader = response.body?.getReader();
  if (reader === undefined) return { text: "", isWhole: true };
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { text: text + decoder.decode(), isWhole: true };
      bytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
      if (bytes <= bytesMax) continue;
      await reader.cancel();
      return { text: text.slice(0, bytesMax), isWhole: false };
    }
  } catch (error) {
    if (matters) throw error;
    return { text, isWhole: false };
  }
}

/** The beginning of a text on one line, at most 200 bytes. */
export function excerptOf(text: string): string {
  const line = text
    .slice(0, 4 * EXCERPT_BYTES)
    .replaceAll(/\s+/g, " ")
    .trim();
  const bytes = new TextEncoder().encode(line);
  if (bytes.length <= EXCERPT_BYTES && text.length <= 4 * EXCERPT_BYTES) return line;
  return `${new TextDecoder().decode(bytes.slice(0, EXCERPT_BYTES), { stream: true })}…`;
}
