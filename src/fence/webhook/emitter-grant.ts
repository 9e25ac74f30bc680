import { assert } from "../../core/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FenceStore } from "../../ports/fence-store.ts";
import type { Random } from "../../ports/random.ts";
import { timesFor } from "../heartbeat.ts";
import { acquireLease, type Lease, readLease } from "../lease.ts";
import { orAborted } from "../or-aborted.ts";
import { systemClock } from "../system.ts";

/**
 * How long an emission grant lasts without renewal. Its holder stops by itself at 70 % of it. @source reliability.md,
 * Leases
 */
const GRANT_TTL_MS = 5_000;

export interface GrantOptions {
  readonly store: FenceStore;
  /** What one emitter at a time may send for: a rollout's service, a tenant. Never contains region, arm or release. */
  readonly scope: string;
  /** Who would send: `eu-west`, `green`. Read by the others. */
  readonly emitter: string;
  /** Longest exchange with a partner, connect to last byte. The next emitter waits it out. Default 30 s. */
  readonly outboundTimeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly storeTimeoutMs?: number;
}

/** The right to send to the outside, held by one emitter at a time. */
export interface EmissionGrant {
  readonly scope: string;
  readonly emitter: string;
  /** Grows with every grant; pass it to whatever refuses a lower one. */
  readonly token: number;
  readonly outboundTimeoutMs: number;
  /** Aborts when the grant was lost: stop taking work. */
  readonly signal: AbortSignal;
  isHeld(): boolean;
  /** Starts `post` if the grant is held at this very moment, else null. `post` ends within `outboundTimeoutMs`. */
  run<T>(post: () => Promise<T>): Promise<T> | null;
  /** Hands over: no new post starts, those under way are waited for, then the next emitter may begin at once. */
  release(): Promise<void>;
}

const resourceOf = (scope: string) => `emit:${scope}`;

function openGrant(options: GrantOptions, lease: Lease, outboundTimeoutMs: number): EmissionGrant {
  const underWay = new Set<Promise<unknown>>();
  let isReleased = false;
  const isHeld = () => !isReleased && lease.isHeld();
  return {
    scope: options.scope,
    emitter: options.emitter,
    token: lease.token,
    outboundTimeoutMs,
    signal: lease.signal,
    isHeld,
    run(post) {
      if (!isHeld()) return null;
      const posted = post(); // In the same turn as the check: nothing can pause this code between the two but the machine.
      const end = (): void => void underWay.delete(settled);
      const settled: Promise<void> = posted.then(end, end);
      underWay.add(settled);
      return posted;
    },
    async release() {
      isReleased = true;
      await Promise.all(underWay);
      await lease.release();
    },
  };
}

/**
 * Waits for the right to send, or until `signal` aborts (null). For a sink that cannot check an epoch the old emitter
 * must be silent before the new one speaks: it is replaced only after its grant was seen unrenewed for the full 5 s, by
 * when it has stopped itself (3.5 s after its last renewal, on its own monotonic clock), and the new one then waits the
 * outbound timeout, by when the last post of the old one is over. No wait after a grant that was handed over cleanly.
 *
 * What no grant can close: a machine that stops between check and send and goes on after the handover. Only a partner
 * that takes each webhook id once does, which is why the id is the same from everywhere.
 * @source reliability.md, Leases and fencing (I14, WE-4)
 */
export async function acquireEmissionGrant(options: GrantOptions, signal: AbortSignal): Promise<EmissionGrant | null> {
  const { store, scope, emitter, outboundTimeoutMs = 30_000, clock = systemClock } = options;
  assert(outboundTimeoutMs > 0, `webhook: outboundTimeoutMs is > 0: ${outboundTimeoutMs}`);
  const resource = resourceOf(scope);
  while (!signal.aborted) {
    const before = await readLease(store, resource).catch(() => null);
    const times = timesFor(GRANT_TTL_MS);
    const lease = await acquireLease({ ...options, resource, releaseId: emitter, times, clock }, signal);
    if (lease === null) return null;
    const isFirst = lease.token === 1;
    const isHandedOver = before !== null && !before.held && lease.token === before.token + 1;
    const silence = isFirst || isHandedOver ? Promise.resolve() : clock.sleep(outboundTimeoutMs, lease.signal);
    await orAborted(silence, signal);
    if (signal.aborted) {
      void silence.then(() => lease.release()).catch(() => false); // Not before: a released grant is taken over at once.
      return null;
    }
    if (lease.isHeld()) return openGrant(options, lease, outboundTimeoutMs);
  }
  return null;
}
