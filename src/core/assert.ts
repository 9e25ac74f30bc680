/**
 * Throws on our own bug, and on nothing else: bad input is a Problem, a bad metric a Verdict, a failed call a
 * DriverError. A thrown invariant ends the tick and leaves traffic as it is.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}

/** Closes a switch: a new union member fails to compile here first. */
export function unreachable(value: never): never {
  throw new Error(`invariant: unhandled ${JSON.stringify(value)}`);
}
