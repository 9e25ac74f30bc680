import type { Context } from "hono";

/** The request's body as text; null when it has more than `bytesMax`, which is known before it fills memory. */
export async function readBody(context: Context, bytesMax: number): Promise<string | null> {
  if (Number(context.req.header("content-length") ?? 0) > bytesMax) return null;
  const reader = context.req.raw.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const chunk = part.value as Uint8Array;
    bytes += chunk.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What a text says as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
