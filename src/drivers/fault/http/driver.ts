import { readText } from "../../../ports/bounded-body.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { FaultAgent, FaultStatus } from "../../../ports/fault-agent.ts";

const ANSWER_MAX_BYTES = 16_384;

/** An agent that is asked over HTTP, such as `sluice drill fault-proxy`. Its answer alone is believed. */
export function httpFaultAgent(url: string): FaultAgent {
  async function ask(question: object, signal: AbortSignal): Promise<FaultStatus> {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
      redirect: "error",
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new DriverError("unreachable", "safe", `the fault agent at ${url} cannot be reached`, error);
    });
    const { text } = await readText(response.body, { bytesMax: ANSWER_MAX_BYTES, until: signal });
    const told = parsed(text);
    if (response.status === 200 && isStatus(told)) return told;
    const { code, message } = (told ?? {}) as { readonly code?: string; readonly message?: string };
    const found = message ?? `the fault agent at ${url} answered ${response.status}, expected its status`;
    throw new DriverError(code === "unsupported" ? "unsupported" : "rejected", "never", found);
  }
  return {
    apply: (faultId, fault, leaseMs, signal) => ask({ verb: "apply", faultId, fault, leaseMs }, signal),
    renew: (faultId, leaseMs, signal) => ask({ verb: "renew", faultId, leaseMs }, signal),
    revert: (faultId, signal) => ask({ verb: "revert", faultId }, signal),
    status: (signal) => ask({ verb: "status" }, signal),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // Told below, with its status.
  }
}

function isStatus(told: unknown): told is FaultStatus {
  if (typeof told !== "object" || told === null) return false;
  const { faultId, leaseLeftMs } = told as Partial<FaultStatus>;
  return (faultId === null || typeof faultId === "string") && typeof leaseLeftMs === "number";
}
