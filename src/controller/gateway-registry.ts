import { isNewer, type RoutingDocument } from "../core/routing/document.ts";
import type { GatewayHub, LiveGateway } from "../ports/gateway-hub.ts";

/** Without a word for this long a gateway no longer counts: it drains, is cut off, or is gone. */
const LIVE_MS = 3_000;

interface Seen extends LiveGateway {
  readonly service: string;
  readonly seenAtMonoMs: number;
}

/** The controller's side of the control link: the current document of each service, and who reported lately. */
export class GatewayRegistry implements GatewayHub {
  readonly #documents = new Map<string, RoutingDocument>();
  readonly #gateways = new Map<string, Seen>();
  readonly #listeners = new Map<string, Set<(document: RoutingDocument) => void>>();
  readonly #monoMs: () => number;

  constructor(monoMs: () => number) {
    this.#monoMs = monoMs;
  }

  publish(document: RoutingDocument): void {
    const current = this.#documents.get(document.service);
    if (current !== undefined && !isNewer(document, current)) return;
    this.#documents.set(document.service, document);
    for (const listener of this.#listeners.get(document.service) ?? []) listener(document);
  }

  current(service: string): RoutingDocument | null {
    return this.#documents.get(service) ?? null;
  }

  report(service: string, gatewayId: string, adopted: LiveGateway["adopted"]): void {
    this.#gateways.set(gatewayId, { gatewayId, service, adopted, seenAtMonoMs: this.#monoMs() });
  }

  live(service: string): readonly LiveGateway[] {
    const since = this.#monoMs() - LIVE_MS;
    return [...this.#gateways.values()].filter((seen) => seen.service === service && seen.seenAtMonoMs >= since);
  }

  forget(service: string): void {
    this.#documents.delete(service);
  }

  /** Calls back with each new document of a service; returns the way to stop. */
  follow(service: string, listener: (document: RoutingDocument) => void): () => void {
    const listeners = this.#listeners.get(service) ?? new Set();
    this.#listeners.set(service, listeners.add(listener));
    return () => void listeners.delete(listener);
  }
}
