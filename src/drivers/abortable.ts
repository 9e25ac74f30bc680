/**
 * Work that cannot be told to end is let go when the signal aborts: this rejects with the signal's reason at once, and
 * how the work ends is nobody's business then.
 */
export async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let letGo: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    letGo = () => reject(signal.reason);
    signal.addEventListener("abort", letGo, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener("abort", letGo);
  }
}
