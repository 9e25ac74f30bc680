export type DriverErrorCode = "unreachable" | "unauthorized" | "rejected" | "stale-token" | "unsupported" | "timeout";

/** `after-read`: the reply was lost, so read the product's state before applying again. */
export type RetryAdvice = "never" | "safe" | "after-read";

/** A failed conversation with the outside. Callers switch on `code`, never on the message. */
export class DriverError extends Error {
  override readonly name = "DriverError";
  readonly code: DriverErrorCode;
  readonly retry: RetryAdvice;

  constructor(code: DriverErrorCode, retry: RetryAdvice, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retry = retry;
  }
}
