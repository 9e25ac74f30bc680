import { DriverError } from "../../../ports/driver-error.ts";

/** Thrown when the answer to a commit was lost: it may be stored and may not. Never leaves this driver. */
export class Uncertain extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** SQLSTATE of a failure; empty when the server did not say one. */
export const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? "");
const messageOf = (error: unknown) => (error instanceof Error && error.message !== "" ? error.message : codeOf(error));

/** Classes 40 (rolled back) and 23 (a constraint): the server says that a commit did nothing. */
export function isUndone(error: unknown): boolean {
  return /^(40|23)...$/.test(codeOf(error));
}

/**
 * A failure as callers switch on it. What another try may mend is `unreachable`: a server that is down, starting,
 * full or a copy that takes no writes. @source PostgreSQL documentation, appendix A "Error Codes"
 * @param place the address, without a password
 */
export function storeError(error: unknown, place: string): DriverError {
  if (error instanceof DriverError) return error;
  const what = `the store ${place} failed: ${messageOf(error)}`;
  if (error instanceof Uncertain) {
    return new DriverError("unreachable", "after-read", `${what}; whether it took the change is not known`, error);
  }
  const code = codeOf(error);
  const isAsked = messageOf(error).startsWith("SASL"); // The client had no password for a server that asks for one.
  if (code.startsWith("28") || isAsked) {
    const advice = "check the user in the address and the password in SLUICE_STORE_PASSWORD or PGPASSWORD";
    return new DriverError("unauthorized", "never", `${what}; ${advice}`, error);
  }
  if (code === "42501") {
    const advice = "the user needs the right to create a schema in this database, or to own the schema sluice";
    return new DriverError("unauthorized", "never", `${what}; ${advice}`, error);
  }
  if (code === "3D000") {
    return new DriverError("rejected", "never", `${what}; make it with createdb, or mend the address`, error);
  }
  if (code.startsWith("42") || code.startsWith("22")) return new DriverError("rejected", "never", what, error);
  return new DriverError("unreachable", "safe", `${what}; nothing of this change was stored`, error);
}
