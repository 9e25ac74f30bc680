/**
 * What `work` ends with, or null when `signal` aborts first: who waits is not held up by work that ignores its signal.
 */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(null);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    // A signal may outlive thousands of such waits; none of them may stay on it.
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
