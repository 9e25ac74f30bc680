import type { ServingArm } from "../core/arm.ts";
import { type ErrorStage, errorClassOf, errorClassOfStatus } from "../core/window/error-class.ts";
import type { ErrorClass } from "../core/window/window.ts";

/**
 * What the proxy tells of each request that ended, in the order of the fields of {@link LoggedRequest}; the service's
 * own word last, because it may hold blanks. @source HAProxy 2.6 configuration manual, 8.2.4 and 8.5
 */
export const LOG_FORMAT =
  "%[var(txn.doc)] %[var(txn.arm)] %[var(txn.reason)] %[var(txn.hash)] %ST %Ta %tsc %[var(txn.warm)] %[var(txn.cold)] %[var(txn.event)]";

/** One request as the proxy saw it end. */
export interface LoggedRequest {
  /** `epoch.seq` of the document that routed it. */
  readonly document: string;
  readonly arm: ServingArm;
  /** Whether its unit was drawn by share. */
  readonly isDrawn: boolean;
  readonly isLeaseExpired: boolean;
  readonly hash: number | null;
  readonly isWarmPing: boolean;
  readonly isCold: boolean;
  /** Null when the client went away, which says nothing about the arm. */
  readonly latencyMs: number | null;
  readonly errorClass: ErrorClass | null;
  /** The proxy failed it by itself. */
  readonly isOurs: boolean;
  /** What the service said of its answer; null when it said nothing. */
  readonly event: string | null;
}

const HASH = /^\d{1,10}$/;
const STAGES: Readonly<Record<string, ErrorStage>> = { C: "connect", H: "headers", D: "body", L: "body" };

/** Reads a line of {@link LOG_FORMAT}; null for one that no arm was asked for, or that is none. */
export function readLogLine(line: string): LoggedRequest | null {
  const fields = line.split(" ", 9);
  if (fields.length < 9) return null;
  const [document = "", arm, reason = "", hash = "", status = "", total = "", ended = "", warm, cold] = fields;
  if ((arm !== "stable" && arm !== "candidate") || !/^\d+\.\d+$/.test(document)) return null;
  const event = line.slice(fields.join(" ").length + 1).trim();
  const { errorClass, isOurs, isByClient } = endOf(ended, Number(status));
  const totalMs = Number(total);
  return {
    document,
    arm,
    isDrawn: reason === "sticky",
    isLeaseExpired: reason === "lease-expired",
    hash: HASH.test(hash) ? Number(hash) : null,
    isWarmPing: warm === "1",
    isCold: cold === "1",
    latencyMs: isByClient || !(totalMs >= 0) ? null : totalMs,
    errorClass,
    isOurs,
    event: event === "" || event === "-" ? null : event,
  };
}

/**
 * Who ended a request, and where. First sign of the termination state: who; second: how far it was.
 * @source HAProxy 2.6 configuration manual, 8.5 "Session state at disconnection"
 */
function endOf(state: string, status: number) {
  const [who = "-", where = "-"] = state;
  const stage = STAGES[where];
  if (who === "-") return { errorClass: errorClassOfStatus(status), isOurs: false, isByClient: false };
  if (who === "C" || who === "c") return { errorClass: null, isOurs: false, isByClient: true };
  const of = (errorClass: ErrorClass) => ({ errorClass, isOurs: false, isByClient: false });
  if (who === "s" && stage !== undefined) return of(errorClassOf(stage, "timeout", "ETIMEDOUT"));
  if (who === "S" && stage !== undefined)
    return of(errorClassOf(stage, "network", stage === "connect" ? "ECONNREFUSED" : "ECONNRESET"));
  // An answer that is none.
  if (who === "P" && where === "H") return of(errorClassOf("headers", "network", "EPROTO"));
  return { errorClass: null, isOurs: true, isByClient: false };
}
