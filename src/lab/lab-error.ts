/** `usage`: wrong option. `corpus`: nothing in it can be indexed. `index`: an index file that must not be served. */
export type LabErrorCode = "usage" | "corpus" | "index";

/** What the laboratory refuses to start with. The message says what was found, what was expected and what to do. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
