/** Set for a child whose stdin is a pipe that its parent holds open for as long as it lives. */
export const ENDS_WITH_PARENT = "SLUICE_ENDS_WITH_PARENT";
/** An orderly end may take this long; then the process ends without one. */
const GRACE_MS = 10_000;

/**
 * Ends this process when its parent is gone, however that happened: the kernel closes the pipe also after a `kill -9`.
 * Does nothing in a process that was not started for it.
 */
export function endWithParent(): void {
  if (process.env[ENDS_WITH_PARENT] !== "1") return;
  delete process.env[ENDS_WITH_PARENT]; // What we start ourselves has a pipe of its own, or none.
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    process.kill(process.pid, "SIGTERM");
    setTimeout(() => process.exit(1), GRACE_MS).unref();
  };
  process.stdin.on("end", end).on("close", end).on("error", end).resume();
  (process.stdin as { unref?: () => void }).unref?.(); // A command that is done ends, whether the parent lives or not.
}
