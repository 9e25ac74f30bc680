/** Exit codes of every command. @source contracts.md, "Exit codes" */
export const EXIT = {
  ok: 0,
  toolError: 1,
  badUsage: 2,
  hasChanges: 3,
  gateFailed: 10,
  waiting: 11,
  aborted: 12,
  conflict: 13,
  rollbackFailed: 14,
  timeout: 124,
  interrupted: 130,
  /** Whoever read the output went away, as in `status | head -1`; what the command did is not told. */
  outputClosed: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
