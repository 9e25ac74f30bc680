import { isProvisional, type RoutingDocument } from "../core/routing/document.ts";
import { type LeaseGrant, leaseText, type PlaneReport } from "../core/routing/lease.ts";
import { epochMs } from "../core/unit.ts";
import { kidOf } from "../core/routing/signature.ts";
import { digestOf } from "../plane/digest.ts";
import type { Proof } from "../plane/proof.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, StoredPlane } from "../ports/controller-store.ts";
import type { DocumentSigner } from "../ports/document-signer.ts";
import type { LiveGateway } from "../ports/gateway-hub.ts";
import type { GatewayRegistry } from "./gateway-registry.ts";
import type { Ownership } from "./ownership.ts";

/** Data planes of one service that the store keeps at most; further ones are refused: they could not be counted. */
const PLANES_MAX = 1_000;

export interface PlaneDeskOptions {
  readonly store: ControllerStore;
  readonly hub: GatewayRegistry;
  readonly ownership: Ownership;
  readonly clock: Clock;
  /** Null: this controller can prove nothing, so it gives no lease. */
  readonly proof: Proof | null;
  /** Null: data planes that look at signatures get no lease either. */
  readonly signer: DocumentSigner | null;
  /** Whether the way back from a document was ordered, published or not. */
  isTakenBack(document: RoutingDocument): boolean;
}

/**
 * Knows every data plane that may serve users, over restarts, and gives leases. A data plane is durable before it gets
 * its first lease: an owner after this one would otherwise not wait for it. @source definitions.md §11
 */
export class PlaneDesk {
  readonly #options: PlaneDeskOptions;
  /** By planeId. */
  readonly #stored = new Map<string, StoredPlane>();

  private constructor(options: PlaneDeskOptions) {
    this.#options = options;
  }

  /**
   * Reads the data planes of the store. Nobody knows when the owner before answered them last, so each may hold the
   * longest lease there can be, counted from the start of this ownership.
   * @param leaseMs the longest lease of the documents in force
   */
  static async open(options: PlaneDeskOptions, leaseMs: number): Promise<PlaneDesk> {
    const desk = new PlaneDesk(options);
    const { store, hub, ownership } = options;
    for (const plane of await store.planes()) {
      desk.#stored.set(plane.planeId, plane);
      if (plane.gone !== null) continue;
      const longestMs = plane.version < 2 ? Number.POSITIVE_INFINITY : Math.max(leaseMs, ownership.announcedBeforeMs);
      hub.restore(plane.service, plane.gatewayId, plane.planeId, ownership.leasesFromMonoMs + longestMs);
    }
    return desk;
  }

  /** Every data plane of every service, the gone ones included. */
  all(): readonly StoredPlane[] {
    return [...this.#stored.values()];
  }

  /** Everything known, the gone ones included. */
  planes(service: string): readonly StoredPlane[] {
    return [...this.#stored.values()].filter((plane) => plane.service === service);
  }

  /**
   * Takes a data plane's word in; resolves when it is durable that there is one.
   * @throws Error when the store cannot be written
   */
  async hear(
    service: string,
    gatewayId: string,
    adopted: LiveGateway["adopted"],
    report: PlaneReport | null,
  ): Promise<void> {
    const { hub, clock } = this.#options;
    const at = epochMs(clock.wallMs());
    const planeId = report?.id ?? gatewayId;
    const known = this.#stored.get(planeId);
    const version = report?.version ?? 1;
    const gone = report?.isLeaving ? ({ at, why: "left", by: gatewayId, reason: "" } as const) : null;
    const isKnown = known?.gatewayId === gatewayId && known.gone === null && known.version === version;
    if (!isKnown || gone !== null) {
      const firstSeenAt = known?.firstSeenAt ?? at;
      await this.#commit({ service, gatewayId, planeId, version, firstSeenAt, gone });
      // A new start has the name, and with a gateway the address, of the one before: that one is gone.
      for (const earlier of hub.startsOf(planeId)) if (earlier !== gatewayId) hub.remove(earlier);
    }
    if (gone === null) hub.report(service, gatewayId, adopted, report);
  }

  /**
   * The lease in the answer to a report; null when there is none to give: nothing is provisional, the data plane does
   * not route by exactly the document in force, this process cannot promise anything, or the way back is ordered. Who
   * is cut off then must be on stable a lease after the order, whenever its document follows.
   * @param proof proves the answer to this data plane; by default what all of them share
   */
  async grant(
    service: string,
    gatewayId: string,
    report: PlaneReport | null,
    proof: Proof | null = this.#options.proof,
  ): Promise<LeaseGrant | null> {
    const { hub, ownership, isTakenBack } = this.#options;
    const document = hub.current(service);
    if (report === null || proof === null || document === null || report.isLeaving) return null;
    const { lease, epoch, seq, store } = document;
    if (!isProvisional(document) || !lease || store !== ownership.store) return null;
    const digest = digestOf(document);
    if (report.digest !== digest) return null;
    const ms = Math.max(lease.ms, ownership.announcedMs);
    const said = { store: ownership.store, owner: ownership.owner, epoch, seq, digest, ms };
    const text = leaseText(report.id, report.nonce, said);
    const key = this.#options.signer?.current;
    const signed = key === undefined ? {} : { kid: kidOf(key.publicKey), signature: await key.sign(text) };
    const proven = await proof.prove(text);
    // As late as can be: a process that was stopped wakes up here, and what was decided meanwhile counts.
    if (!ownership.canPromise || hub.current(service) !== document || isTakenBack(document)) return null;
    hub.granted(gatewayId, ms);
    return { ...said, proof: proven, ...signed };
  }

  /** A person's word that a data plane is gone; null when none of that id counts. */
  async forget(id: string, by: string, reason: string): Promise<StoredPlane | null> {
    const found = [...this.#stored.values()].find(
      (plane) => plane.gone === null && (plane.gatewayId === id || plane.planeId === id),
    );
    if (found === undefined) return null;
    const at = epochMs(this.#options.clock.wallMs());
    const forgotten: StoredPlane = { ...found, gone: { at, why: "forgotten", by, reason } };
    await this.#commit(forgotten);
    return forgotten;
  }

  async #commit(plane: StoredPlane): Promise<void> {
    const { store, hub } = this.#options;
    const others = this.planes(plane.service).filter(({ planeId }) => planeId !== plane.planeId);
    if (plane.gone === null && others.filter(({ gone }) => gone === null).length >= PLANES_MAX) {
      throw new Error(`service ${plane.service} has ${PLANES_MAX} gateways already; forget those that are gone`);
    }
    await store.commit({ planes: [plane] });
    this.#stored.set(plane.planeId, plane);
    if (plane.gone !== null) hub.remove(plane.gatewayId);
  }
}
