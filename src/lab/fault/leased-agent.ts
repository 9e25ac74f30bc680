import type { Fault } from "../../core/drill/fault.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import { FAULT_LEASE_MAX_MS, type FaultAgent, type FaultStatus } from "../../ports/fault-agent.ts";

/** The thing that is broken on purpose. */
export interface Breakable {
  readonly kinds: readonly Fault["kind"][];
  /** Begins a fault; null ends the one in force. Synchronous, so that nothing comes between it and its timer. */
  set(fault: Fault | null): void;
}

/** Gives a thing that can be broken a dead man's timer: what nobody renews within its lease is over. */
export function leasedAgent(thing: Breakable, clock: Pick<Clock, "monoMs" | "sleep">): FaultAgent {
  let held: { readonly faultId: string; untilMonoMs: number } | null = null;
  const status = (): FaultStatus =>
    held === null
      ? { faultId: null, leaseLeftMs: 0 }
      : { faultId: held.faultId, leaseLeftMs: Math.max(0, held.untilMonoMs - clock.monoMs()) };
  const end = () => {
    held = null;
    thing.set(null);
  };
  const watch = async (mine: NonNullable<typeof held>) => {
    while (held === mine) {
      const leftMs = mine.untilMonoMs - clock.monoMs();
      if (leftMs <= 0) return end();
      await clock.sleep(leftMs);
    }
  };
  const until = (leaseMs: number): number => {
    if (leaseMs > 0 && leaseMs <= FAULT_LEASE_MAX_MS) return clock.monoMs() + leaseMs;
    const found = `found a lease of ${leaseMs} ms, expected above 0 and at most ${FAULT_LEASE_MAX_MS}`;
    throw new DriverError("rejected", "never", `${found}; renew it instead`);
  };
  return {
    async apply(faultId, fault, leaseMs) {
      const untilMonoMs = until(leaseMs);
      if (!thing.kinds.includes(fault.kind)) {
        const advice = `this agent has ${thing.kinds.join(", ")}`;
        throw new DriverError("unsupported", "never", `no ${fault.kind} here; ${advice}`);
      }
      if (held !== null && held.faultId !== faultId)
        throw new DriverError("rejected", "never", `${held.faultId} is in force here; wait until it is over`);
      if (held !== null) {
        held.untilMonoMs = untilMonoMs;
        return status();
      }
      const mine = { faultId, untilMonoMs };
      thing.set(fault);
      held = mine;
      void watch(mine);
      return status();
    },
    async renew(faultId, leaseMs) {
      const untilMonoMs = until(leaseMs);
      if (held?.faultId === faultId) held.untilMonoMs = untilMonoMs;
      return status();
    },
    async revert(faultId) {
      if (held?.faultId === faultId) end();
      return status();
    },
    status: () => Promise.resolve(status()),
  };
}
