import { createParser } from "eventsource-parser";
import type { TargetMap } from "./map.ts";

type Format = NonNullable<TargetMap["response"]["format"]>;

/**
 * A body as the document that pointers point into: the JSON value, the text itself, or the list of what the events or
 * lines of a stream carry. Undefined when it is not of that format. Events that carry no JSON, such as `[DONE]`, are
 * left out.
 */
export function bodyDocument(text: string, format: Format): unknown {
  switch (format) {
    case "text":
      return text;
    case "sse":
      return eventsOf(text);
    case "ndjson":
      return linesOf(text);
    default:
      return parsed(text);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** @source https://html.spec.whatwg.org/multipage/server-sent-events.html */
function eventsOf(text: string): unknown {
  const events: unknown[] = [];
  let count = 0;
  const parser = createParser({
    onEvent({ data }) {
      count++;
      const value = parsed(data);
      if (value !== undefined) events.push(value);
    },
  });
  parser.feed(text.endsWith("\n\n") ? text : `${text}\n\n`);
  return count === 0 ? undefined : events;
}

function linesOf(text: string): unknown {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const values = lines.map(parsed);
  return values.length === 0 || values.includes(undefined) ? undefined : values;
}
