/** An answer whose headers are written and not sent. */
interface Held {
  /** Sends the headers, unless something else has by now. */
  flushHeaders(): void;
}

let held: Held[] = [];

/**
 * Headers wait for the end of the piece of work that read them: mostly the body, or its beginning, was read with them
 * and leaves in the same packet. What is still held then leaves alone, before any timer or other event.
 */
export function holdHeaders(exchange: Held): void {
  if (held.length === 0) queueMicrotask(flushHeld);
  held.push(exchange);
}

function flushHeld(): void {
  const exchanges = held;
  held = [];
  for (const exchange of exchanges) exchange.flushHeaders();
}
