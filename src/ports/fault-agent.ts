import type { Fault } from "../core/drill/fault.ts";

/** What an agent does now, read from the thing itself and never from what it was told. */
export interface FaultStatus {
  /** Whose fault it is; null: none is in force. */
  readonly faultId: string | null;
  /** Until it reverts by itself; 0 where none is in force. */
  readonly leaseLeftMs: number;
}

/**
 * Injects one fault at a time. It ends by itself when it is not renewed within its lease, whatever became of whoever
 * applied it. Every method may be called again, and rejects with DriverError: `rejected` where another fault is in
 * force or the lease is too long, `unsupported` for a kind it has not.
 */
export interface FaultAgent {
  /** The same id again renews it. @param leaseMs at most `FAULT_LEASE_MAX_MS` */
  apply(faultId: string, fault: Fault, leaseMs: number, signal: AbortSignal): Promise<FaultStatus>;
  /** Lasts a lease more from now on. One that is over is not begun again: the answer says that none is in force. */
  renew(faultId: string, leaseMs: number, signal: AbortSignal): Promise<FaultStatus>;
  /** Ends it. One of another id stays, and is told. */
  revert(faultId: string, signal: AbortSignal): Promise<FaultStatus>;
  status(signal: AbortSignal): Promise<FaultStatus>;
}

/** No fault outlives its owner by more. */
export const FAULT_LEASE_MAX_MS = 30_000;
