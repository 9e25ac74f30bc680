import { type Confirmation, confirm, type Direction, type PlaneWord } from "../core/routing/confirm.ts";
import { isNewer, type RoutingDocument } from "../core/routing/document.ts";
import type { PlaneReport } from "../core/routing/lease.ts";
import { digestOf } from "../plane/digest.ts";
import type { GatewayHub, LiveGateway } from "../ports/gateway-hub.ts";

/** Without a word for this long a gateway is silent: it drains, is cut off, or is gone. */
const LIVE_MS = 3_000;
/** An epoch above it is no epoch that a controller ever gave. */
const EPOCH_MAX = 2 ** 50;

interface Seen {
  readonly service: string;
  readonly gatewayId: string;
  readonly planeId: string;
  readonly adopted: LiveGateway["adopted"];
  /** Null from a data plane of version 1. */
  readonly report: PlaneReport | null;
  /** Null: known from the store, not heard of since this controller started. */
  readonly seenAtMonoMs: number | null;
  /** When its lease is over, counted from the moment an answer left; infinite for a data plane that knows no lease. */
  readonly leaseEndMonoMs: number;
  /** When this controller first knew of it. */
  readonly knownAtMonoMs: number;
  /** When it last said that its document gives nobody a candidate for ever. */
  readonly harmlessAtMonoMs: number | null;
}

/** How long a data plane has said nothing, and what it may still do. */
interface Silence {
  /** Since its last word, or since this controller started. */
  readonly silentMs: number;
  readonly leaseLeftMs: number;
  /** Since it last said that its document gives nobody a candidate without a lease; null when it never did. */
  readonly harmlessMs: number | null;
}

/** The controller's side of the control link: each service's current document, and what each data plane said last. */
export class GatewayRegistry implements GatewayHub {
  readonly #documents = new Map<string, RoutingDocument>();
  readonly #gateways = new Map<string, Seen>();
  /** The same by service. */
  readonly #ofService = new Map<string, Map<string, Seen>>();
  readonly #listeners = new Map<string, Set<(document: RoutingDocument) => void>>();
  readonly #monoMs: () => number;

  constructor(monoMs: () => number) {
    this.#monoMs = monoMs;
  }

  publish(document: RoutingDocument): void {
    const current = this.#documents.get(document.service);
    const isSignedAnew =
      current?.kid !== document.kid && current?.epoch === document.epoch && current.seq === document.seq;
    if (current !== undefined && !isNewer(document, current) && !isSignedAnew) return;
    this.#documents.set(document.service, document);
    for (const listener of this.#listeners.get(document.service) ?? []) listener(document);
  }

  /** The documents in force. */
  documents(): readonly RoutingDocument[] {
    return [...this.#documents.values()];
  }

  current(service: string): RoutingDocument | null {
    return this.#documents.get(service) ?? null;
  }

  /**
   * Takes a data plane's word in. `report` is null from one of version 1, which then has no lease that could end. One
   * that was overtaken, or comes again, says nothing: it knows no lease that was given since.
   */
  report(service: string, gatewayId: string, adopted: LiveGateway["adopted"], report: PlaneReport | null = null): void {
    const nowMs = this.#monoMs();
    const planeId = report?.id ?? gatewayId;
    // What it says it has left was counted from its own request, so at this moment it has no more than that.
    const leaseEndMonoMs = report === null ? Number.POSITIVE_INFINITY : nowMs + report.leaseLeftMs;
    const before = this.#gateways.get(gatewayId);
    if (isOvertaken(report, before?.report ?? null)) return;
    const isHarmless = report !== null && this.#isHarmless(service, adopted, report.digest);
    this.#set({
      service,
      gatewayId,
      planeId,
      adopted,
      report,
      seenAtMonoMs: nowMs,
      leaseEndMonoMs,
      knownAtMonoMs: before?.knownAtMonoMs ?? nowMs,
      harmlessAtMonoMs: isHarmless ? nowMs : (before?.harmlessAtMonoMs ?? null),
    });
  }

  /** A data plane of the store, not heard of yet: whoever owned the store before may have just given it a lease. */
  restore(service: string, gatewayId: string, planeId: string, leaseEndMonoMs: number): void {
    const adopted = { epoch: 0, seq: 0 };
    this.#set({
      service,
      gatewayId,
      planeId,
      adopted,
      report: null,
      seenAtMonoMs: null,
      leaseEndMonoMs,
      knownAtMonoMs: this.#monoMs(),
      harmlessAtMonoMs: null,
    });
  }

  /** An answer that gives a lease leaves now. */
  granted(gatewayId: string, ms: number): void {
    const seen = this.#gateways.get(gatewayId);
    if (seen === undefined) return;
    const leaseEndMonoMs = Math.max(seen.leaseEndMonoMs, this.#monoMs() + ms);
    this.#set({ ...seen, leaseEndMonoMs });
  }

  /** Gateway ids of the earlier starts of a plane. */
  startsOf(planeId: string): readonly string[] {
    return [...this.#gateways.values()].filter((seen) => seen.planeId === planeId).map(({ gatewayId }) => gatewayId);
  }

  /** It said goodbye, was replaced by its own new start, or a person says that it is gone. */
  remove(gatewayId: string): void {
    const seen = this.#gateways.get(gatewayId);
    this.#gateways.delete(gatewayId);
    if (seen !== undefined) this.#ofService.get(seen.service)?.delete(gatewayId);
  }

  /** Null for one that does not count. */
  silence(gatewayId: string): Silence | null {
    const seen = this.#gateways.get(gatewayId);
    if (seen === undefined) return null;
    const nowMs = this.#monoMs();
    return {
      silentMs: nowMs - (seen.seenAtMonoMs ?? seen.knownAtMonoMs),
      leaseLeftMs: Math.max(0, seen.leaseEndMonoMs - nowMs),
      harmlessMs: seen.harmlessAtMonoMs === null ? null : nowMs - seen.harmlessAtMonoMs,
    };
  }

  live(service: string): readonly LiveGateway[] {
    const since = this.#monoMs() - LIVE_MS;
    return this.#of(service).filter(({ seenAtMonoMs }) => seenAtMonoMs !== null && seenAtMonoMs >= since);
  }

  words(service: string): readonly PlaneWord[] {
    const nowMs = this.#monoMs();
    return this.#of(service).map(({ gatewayId, adopted, report, seenAtMonoMs, leaseEndMonoMs }): PlaneWord => {
      const silentMs = seenAtMonoMs === null ? null : nowMs - seenAtMonoMs;
      return {
        gatewayId,
        adopted,
        digest: report?.digest ?? null,
        override: report?.override ?? null,
        acceptsUnsigned: report?.acceptsUnsigned ?? false,
        refused: report?.refused ?? null,
        isLive: silentMs !== null && silentMs <= LIVE_MS,
        silentMs,
        leaseLeftMs: Math.max(0, leaseEndMonoMs - nowMs),
      };
    });
  }

  confirm(document: RoutingDocument, direction: Direction): Confirmation {
    return confirm(document, digestOf(document), this.words(document.service), direction);
  }

  /**
   * The epoch that the next document goes above, because a data plane of the service routes by it. One that has a later
   * document of our own epoch, or another one of our own number, follows what this store has forgotten.
   */
  highestEpoch(service: string): number {
    const current = this.current(service);
    const digest = current === null ? null : digestOf(current);
    const epochs = this.#of(service).map(({ adopted, report }) => {
      if (current === null || adopted.epoch !== current.epoch || adopted.seq < current.seq) return adopted.epoch;
      const isOurs = adopted.seq === current.seq && (report === null || report.digest === digest);
      return isOurs ? adopted.epoch : adopted.epoch + 1;
    });
    return Math.max(0, ...epochs.filter((epoch) => epoch <= EPOCH_MAX));
  }

  forget(service: string): void {
    this.#documents.delete(service);
  }

  /** True when a data plane routes by the document in force, and a lease bounds what that gives a candidate. */
  #isHarmless(service: string, adopted: LiveGateway["adopted"], digest: string): boolean {
    const current = this.current(service);
    if (current === null || adopted.epoch !== current.epoch || adopted.seq !== current.seq) return false;
    const isOpen = current.arms.candidate !== null && !current.closed.includes("candidate");
    return digest === digestOf(current) && (!isOpen || (current.lease ?? null) !== null);
  }

  /** Calls back with each new document of a service; returns the way to stop. */
  follow(service: string, listener: (document: RoutingDocument) => void): () => void {
    const listeners = this.#listeners.get(service) ?? new Set();
    this.#listeners.set(service, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  #set(seen: Seen): void {
    const { service, gatewayId } = seen;
    const before = this.#gateways.get(gatewayId);
    if (before !== undefined && before.service !== service) this.#ofService.get(before.service)?.delete(gatewayId);
    this.#gateways.set(gatewayId, seen);
    const ofService = this.#ofService.get(service) ?? new Map<string, Seen>();
    this.#ofService.set(service, ofService.set(gatewayId, seen));
  }

  #of(service: string): readonly Seen[] {
    return [...(this.#ofService.get(service)?.values() ?? [])];
  }
}

/** Whether this word of the same start, or a later one, was heard already. */
function isOvertaken(report: PlaneReport | null, heard: PlaneReport | null): boolean {
  if (report?.number === undefined || heard?.number === undefined || report.start !== heard.start) return false;
  return report.number <= heard.number;
}
