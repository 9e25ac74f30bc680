import type { PublishOrder } from "../../core/rollout/order.ts";
import type { Confirmation, Direction } from "../../core/routing/confirm.ts";
import type { RoutingDocument } from "../../core/routing/document.ts";
import type { TrafficPlan } from "../../core/stage/plan.ts";
import { split } from "../../contract/order.ts";
import type { Clock } from "../../ports/clock.ts";
import { DriverError } from "../../ports/driver-error.ts";
import type { TrafficDriver } from "../../ports/traffic.ts";
import type { DocumentLedger } from "../document-ledger.ts";
import type { ServicePointers } from "../service-pointers.ts";
import { A_MOMENT, DONE, type Executor, executor, type Outcome } from "./executor.ts";

export interface TrafficTools {
  readonly ledger: DocumentLedger;
  readonly pointers: ServicePointers;
  readonly traffic: Readonly<Record<string, TrafficDriver>>;
  readonly clock: Clock;
}

const CONFIRM_EVERY_MS = 20;
/** Gateways a message names; the list has them all. */
const TOLD_MAX = 3;

/** A document that a driver was told of; null where nothing was ever published and the way back is there already. */
type Applied = { readonly driver: TrafficDriver; readonly document: RoutingDocument } | null;

/** `traffic.publish`: the document is numbered, stored and given to the data planes, then read back from each. */
export function publishing({ ledger, pointers, traffic, clock }: TrafficTools): Executor<TrafficPlan> {
  return executor<PublishOrder["args"], Applied, TrafficPlan>({
    port: "traffic",
    verb: "publish",
    args: split,
    retry: A_MOMENT,
    async apply(order, { plan, pinned }, signal) {
      const driver = traffic[plan.driver];
      if (driver === undefined) {
        const known = Object.keys(traffic).join(", ");
        throw new DriverError("unsupported", "never", `no traffic driver "${plan.driver}"; known: ${known}`);
      }
      const document = await ledger.publishOnce(plan, order, signal, pinned);
      if (document === null) return null;
      await driver.apply(document, signal);
      return { driver, document };
    },
    async verify(applied, { args, withinMs }, { plan, pinned }, signal) {
      if (applied === null) return DONE;
      const { driver, document } = applied;
      const direction: Direction = args.closed.includes("candidate") ? "back" : "forward";
      const found = await waitUntilConfirmed(driver, document, direction, withinMs, clock, signal);
      if (!found.isConfirmed) return unconfirmed(document, found, direction);
      await pointers.create(plan, document, pinned);
      return DONE;
    },
  });
}

/** Gives a document to the data planes of a service and waits until each that matters serves it. */
export async function confirmed(
  driver: TrafficDriver,
  document: RoutingDocument,
  withinMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  // Nothing is provisional here: whoever is silent counts as routing by what it had.
  const found = await waitUntilConfirmed(driver, document, "back", withinMs, clock, signal);
  return found.isConfirmed ? DONE : unconfirmed(document, found, "forward");
}

/** Why a document is not confirmed, in plain words first: which gateways stand in its way, what each may still do. */
function unconfirmed(
  { service, epoch, seq }: RoutingDocument,
  { planes }: Confirmation,
  direction: Direction,
): Outcome {
  const waiting = planes.filter(({ standing }) => standing === "waiting");
  const isRefused = waiting.some((plane) => plane.isRefused);
  const what = direction === "back" ? "the way back to stable" : "the new share";
  const did = isRefused ? `refused ${what}` : `went away or did not take ${what}`;
  // Where none stands in the way, none is left that could serve it: those went away and their lease is over.
  const named = waiting.length > 0 ? waiting : planes;
  const told = named.slice(0, TOLD_MAX).map(({ gatewayId, text }) => `${gatewayId} ${text}`);
  const more = named.length > told.length ? `, and ${named.length - told.length} more` : "";
  const [first] = named;
  const one = `the gateway ${first?.gatewayId} ${did}: it ${first?.text}`;
  const many = `${named.length} gateways ${did}: ${told.join("; ")}${more}`;
  const none = `no gateway of ${service} took ${what}: none has reported`;
  const who = named.length === 0 ? none : named.length === 1 ? one : many;
  const message = `${who} (document ${epoch}.${seq} of ${service})`;
  return { kind: "failed", code: isRefused ? "refused" : "unverified", message };
}

/** Asks until every data plane that matters serves exactly the document, or one has said that it never will. */
async function waitUntilConfirmed(
  driver: TrafficDriver,
  document: RoutingDocument,
  direction: Direction,
  withinMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Confirmation> {
  const deadline = clock.monoMs() + withinMs;
  for (;;) {
    const found = await driver.confirm(document, direction, signal);
    // On the way back a refusal changes nothing: the gateway stays where it is, and its lease ends.
    const isRefused = direction === "forward" && found.planes.some((plane) => plane.isRefused);
    if (found.isConfirmed || isRefused || clock.monoMs() >= deadline) return found;
    await clock.sleep(CONFIRM_EVERY_MS, signal);
    signal.throwIfAborted();
  }
}
