import { readText } from "../ports/bounded-body.ts";

/** How much of an answer that could not be used is kept for people. */
const EXCERPT_BYTES = 200;

/** A body as text, or the beginning of one. */
export interface BodyText {
  readonly text: string;
  /** False when more than the limit came; the rest is unread. */
  readonly isWhole: boolean;
}

/**
 * Reads at most `bytesMax` bytes of a body. A connection that breaks rejects where the body `matters`, and else is no
 * text at all: of a refusal the status is what counts.
 */
export async function readBody(response: Response, bytesMax: number, matters: boolean): Promise<BodyText> {
  try {
    const { kind, text } = await readText(response.body, { bytesMax, until: null }); // The caller ends it in time.
    return { text, isWhole: kind === "whole" };
  } catch (error) {
    if (matters) throw error;
    return { text: "", isWhole: false };
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
