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
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
