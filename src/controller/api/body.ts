import type { Context } from "hono";
import { readText } from "../../ports/bounded-body.ts";

/** The request's body as text; null when it has more than `bytesMax`. How long it may take is the server's rule. */
export async function readBody(context: Context, bytesMax: number): Promise<string | null> {
  if (Number(context.req.header("content-length") ?? 0) > bytesMax) return null;
  const { kind, text } = await readText(context.req.raw.body, { bytesMax, until: null });
  return kind === "whole" ? text : null;
}

/** What a text says as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
