/** `file`: a named file is not readable or holds another thing. `corpus`: no corpus there. `judge`: no such judge. */
export type InputErrorCode = "file" | "corpus" | "judge";

/** Something a person named cannot be used. The message says what was found, what was expected and what to do. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly code: InputErrorCode;

  constructor(code: InputErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
