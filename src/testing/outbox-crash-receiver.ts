import type { RandomStream } from "../core/stats/random.ts";
import { type ConsumeOutcome, consumeOnce } from "../fence/outbox/consume-once.ts";
import type { Send, SendAnswer } from "../fence/outbox/relay-run.ts";
import { eventOf, type OutboxCrashPlan, type OutboxCrashWorld } from "./outbox-crash-world.ts";

/** Of 40 events one is refused for ever and one fails every time, until the receiver is repaired. */
const POISON_EVERY = 40;
/** Shares of sends that fail before the receiver has them, and whose answer is lost although it has. */
const [FAIL_SHARE, LOST_SHARE] = [0.05, 0.05];
/** Longest way of one copy through the network, in lease times. */
const WAY_LEASES = 0.1;

/** A receiver that dedupes by its inbox, behind a network that delivers every send several times. */
export function receiverOf<Transaction>(
  world: OutboxCrashWorld<Transaction>,
  plan: OutboxCrashPlan,
  random: RandomStream,
) {
  const late = new Set<Promise<unknown>>();
  const state = { deliveries: 0, isRepaired: false };

  async function receive(effectKey: string): Promise<ConsumeOutcome<void>> {
    await world.clock.sleep(random() * plan.leaseMs * WAY_LEASES);
    state.deliveries++;
    const message = { consumer: `${plan.prefix}/receiver`, key: effectKey };
    return world.transact((transaction) =>
      consumeOnce(transaction, world.inbox, message, () => world.write(transaction, "applied", effectKey)),
    );
  }

  const send: Send = async ({ effectKey }): Promise<SendAnswer> => {
    const sickness = state.isRepaired ? -1 : eventOf(effectKey) % POISON_EVERY;
    if (sickness === 0) return { kind: "dead", reason: "410" };
    if (sickness === 1 || random() < FAIL_SHARE) return { kind: "failed", reason: "503" };
    for (let copy = 1; copy < plan.copies; copy++) {
      const delivery: Promise<unknown> = receive(effectKey).finally(() => late.delete(delivery));
      late.add(delivery);
    }
    await receive(effectKey);
    return random() < LOST_SHARE ? { kind: "unknown", reason: "connection reset" } : { kind: "sent" };
  };

  return {
    send,
    repair: () => void (state.isRepaired = true),
    deliveries: () => state.deliveries,
    /** Until every copy has arrived. */
    async drained(): Promise<void> {
      while (late.size > 0) await Promise.all(late);
    },
  };
}
