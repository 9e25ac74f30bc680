import { admit } from "../core/routing/admit.ts";
import { reasonOf } from "../plane/plane.ts";
import { canonicalJson, type Json } from "../core/canonical-json.ts";
import type { PublishOrder } from "../core/rollout/order.ts";
import { type ArmFacts, armFacts } from "../core/routing/arm-facts.ts";
import { DOCUMENT_VERSION, NO_TERMS, type RoutingDocument } from "../core/routing/document.ts";
import type { TrafficPlan } from "../core/stage/plan.ts";
import { type Regions, sameRegions } from "../core/routing/regions.ts";
import { BP_ALL, BP_NONE } from "../core/unit.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControllerStore, PublishedDocument } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { ByArm } from "../core/arm.ts";
import { statedOnly } from "../core/release/health-map.ts";
import type { Manifest } from "../core/release/manifest.ts";
import type { PointerMove } from "../core/service/pointer.ts";
import { nextDocument } from "../core/rollout/routing-document.ts";
import type { DocumentSigner } from "../ports/document-signer.ts";
import { contentOf, kidOf } from "../core/routing/signature.ts";
import { sealed } from "./sealed-document.ts";
import { lostStore } from "./ownership.ts";
import type { ServicePointers } from "./service-pointers.ts";

const LATEST = { ...NO_TERMS, version: DOCUMENT_VERSION } as const;

/** Which document is asked for, and by which order. */
type Publishing = Pick<PublishOrder, "id" | "args">;

/** What the numbers of a document depend on beside the store. */
export interface HeardOf {
  /** Identity of the store. */
  readonly store: string;
  /** The highest epoch that a data plane of the service was heard to route by, or may route by after a restore. */
  highestEpoch(service: string): number;
}

/**
 * The published document of each service; the only place that numbers documents. Orders are published one after
 * another: an order that was given up while another one is being stored must neither overtake nor trip its successor.
 */
export class DocumentLedger {
  readonly #store: ControllerStore;
  readonly #clock: Clock;
  readonly #pointers: ServicePointers;
  readonly #published = new Map<string, PublishedDocument>();
  /** Epoch of the first document of a rollout's generation that this process published or found again. */
  readonly #firstEpochs = new Map<string, number>();
  #queue: Promise<unknown> = Promise.resolve();

  readonly #heard: HeardOf;
  readonly #signer: DocumentSigner | null;

  /** @param signer null to sign nothing: only data planes that were told so take such documents */
  constructor(
    store: ControllerStore,
    clock: Clock,
    pointers: ServicePointers,
    heard: HeardOf,
    signer: DocumentSigner | null,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#pointers = pointers;
    this.#heard = heard;
    this.#signer = signer;
  }

  /** Reads what was published before a restart, signed with the key in force now. */
  async load(): Promise<readonly RoutingDocument[]> {
    for (const published of await this.#store.published()) this.#published.set(published.document.service, published);
    return this.#sealAll();
  }

  /**
   * Lets a new key sign from now on. What is in force stays, numbers included, and is signed by the new key.
   * @returns what is in force; null when the key named is not the one in force any more
   */
  rotateKey(signer: DocumentSigner, from: string): Promise<readonly RoutingDocument[] | null> {
    return this.#inTurn(async () => {
      if (kidOf(signer.current.publicKey) !== from) return null;
      await signer.rotate();
      return this.#sealAll();
    });
  }

  async #sealAll(): Promise<readonly RoutingDocument[]> {
    for (const [service, { document, orderId }] of this.#published) {
      // From before documents could be signed: the same routing in a version that can.
      const signable = this.#signer === null || document.version > 1 ? document : { ...document, ...LATEST };
      this.#published.set(service, { orderId, document: await sealed(signable, this.#signer) });
    }
    return [...this.#published.values()].map(({ document }) => document);
  }

  /**
   * The document of an order: stored by compare-and-set the first time, found again every further time.
   * Null for a way back that no data plane would take, when nothing of the rollout was ever published.
   * @throws DriverError `rejected` when no data plane would take the document: nothing is published
   * @throws the signal's reason when the order was given up before its turn came
   * @param pinned manifests of both arms, for the pointer that a promotion moves
   * @throws DriverError `stale-token` when a later order of the same rollout is in force, or when the document would
   * take users to another release than the service's current one
   */
  publishOnce(
    plan: TrafficPlan,
    order: Publishing,
    signal: AbortSignal,
    pinned: ByArm<Manifest> | null = null,
  ): Promise<RoutingDocument | null> {
    return this.#inTurn(() => this.#publishOnce(plan, order, signal, pinned));
  }

  /**
   * Publishes what an operator took over from outside: everybody on one arm, in a new epoch, with the pointer.
   * @returns null when the service has no document yet, so that nothing says how its users are told apart
   */
  publishAdopted(
    service: string,
    move: (document: Pick<RoutingDocument, "epoch" | "issuedAt">) => PointerMove,
  ): Promise<RoutingDocument | null> {
    return this.#inTurn(() => this.#publishAdopted(service, move));
  }

  /**
   * Publishes where users of a service's regions are served, under a new epoch; the release stays what it was. What is
   * in force already keeps its number.
   * @param drill whose order it is
   * @throws DriverError `rejected` where no document says yet how users are told apart, or none would be taken;
   * `stale-token` when a later order of the same drill is in force
   */
  publishRegions(
    service: string,
    order: { readonly id: string; readonly drill: string },
    regions: (before: Regions | null) => Regions,
    signal: AbortSignal,
  ): Promise<RoutingDocument> {
    return this.#inTurn(() => this.#publishRegions(service, order, regions, signal));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {}); // Each caller hears of its own failure; the next one starts afresh.
    return done;
  }

  /** The document in force; null before the first one. */
  current(service: string): RoutingDocument | null {
    return this.#published.get(service)?.document ?? null;
  }

  /** Epoch of the plan's first document; null when this process has published none of it. */
  firstEpoch({ rolloutId, generation }: TrafficPlan): number | null {
    return this.#firstEpochs.get(`${rolloutId}/${generation}`) ?? null;
  }

  #remember(plan: TrafficPlan, published: PublishedDocument): RoutingDocument {
    const key = `${plan.rolloutId}/${plan.generation}`;
    this.#published.set(plan.service, published);
    this.#firstEpochs.set(key, this.#firstEpochs.get(key) ?? published.document.epoch);
    return published.document;
  }

  async #publishAdopted(
    service: string,
    moveTo: (document: Pick<RoutingDocument, "epoch" | "issuedAt">) => PointerMove,
  ): Promise<RoutingDocument | null> {
    const previous = this.#published.get(service) ?? null;
    if (previous === null) return null;
    const epoch = Math.max(previous.document.epoch, this.#heard.highestEpoch(service)) + 1;
    const number = { epoch, seq: 1, issuedAt: this.#clock.wallMs() };
    const move = moveTo(number);
    const { releaseId, endpoints, cachePrefix } = move.pointer.arm;
    const arms = { stable: { releaseId, endpoints, cachePrefix }, candidate: null };
    const provisional = { rolloutId: null, arms, candidateBp: BP_NONE, closed: [] };
    const orderId = `adopt/${service}/${move.version}`;
    const terms = { ...NO_TERMS, store: this.#heard.store, override: orderId, version: DOCUMENT_VERSION } as const;
    const document = await sealed({ ...previous.document, ...number, ...provisional, ...terms }, this.#signer);
    const next: PublishedDocument = { document, orderId };
    const isStored = await this.#store.commit({ published: { expected: previous.document, next }, pointer: move });
    if (!isStored) throw lostStore(`document of ${service}, another one than ${epoch}.1`);
    this.#published.set(service, next);
    this.#pointers.remember(move);
    return document;
  }

  async #publishRegions(
    service: string,
    { id, drill }: { readonly id: string; readonly drill: string },
    regionsOf: (before: Regions | null) => Regions,
    signal: AbortSignal,
  ): Promise<RoutingDocument> {
    const previous = this.#published.get(service) ?? null;
    if (previous?.orderId === id) return previous.document;
    signal.throwIfAborted();
    if (previous === null) {
      const advice = "its first rollout or cutover makes one";
      throw new DriverError("rejected", "never", `service ${service} has no routing document yet; ${advice}`);
    }
    if (isSuperseded(id, previous.orderId))
      throw new DriverError("stale-token", "never", `${id} was superseded by ${previous.orderId}`);
    const { document: before } = previous;
    const highest = this.#heard.highestEpoch(service);
    const planned = inRegions(before, regionsOf(before.regions ?? null), drill);
    const number = { epoch: Math.max(before.epoch, highest) + 1, seq: 1, issuedAt: this.#clock.wallMs() };
    const isSaid = sameRegions(planned, before) && highest <= before.epoch;
    const terms = { ...NO_TERMS, store: this.#heard.store, override: drill, version: DOCUMENT_VERSION } as const;
    const document = isSaid ? before : await sealed({ ...planned, ...number, ...terms }, this.#signer);
    const admission = admit(document, null, 0);
    if (admission.kind !== "adopt")
      throw new DriverError("rejected", "never", `no data plane would take the document: ${reasonOf(admission)}`);
    const next: PublishedDocument = { document, orderId: id };
    const isStored = await this.#store.commit({ published: { expected: before, next } });
    if (!isStored) throw lostStore(`document of ${service}, another one than ${document.epoch}.${document.seq}`);
    this.#published.set(service, next);
    return document;
  }

  /** What the manifests and the last probe run of the rollout say of each arm. */
  async #facts({ rolloutId }: TrafficPlan, pinned: ByArm<Manifest> | null): Promise<ByArm<ArmFacts>> {
    const probes = (await this.#store.reports(rolloutId)).at(-1)?.report.arms ?? { stable: null, candidate: null };
    return {
      stable: armFacts(pinned === null ? null : statedOnly(pinned.stable), probes.stable),
      candidate: armFacts(pinned === null ? null : statedOnly(pinned.candidate), probes.candidate),
    };
  }

  async #publishOnce(
    plan: TrafficPlan,
    order: Publishing,
    signal: AbortSignal,
    pinned: ByArm<Manifest> | null,
  ): Promise<RoutingDocument | null> {
    const previous = this.#published.get(plan.service) ?? null;
    if (previous?.orderId === order.id) return this.#remember(plan, previous);
    signal.throwIfAborted();
    if (previous !== null && isSuperseded(order.id, previous.orderId)) {
      throw new DriverError("stale-token", "never", `${order.id} was superseded by ${previous.orderId}`);
    }
    const heard = { store: this.#heard.store, highestEpoch: this.#heard.highestEpoch(plan.service) };
    const facts = await this.#facts(plan, pinned);
    const planned = nextDocument(plan, order.args, previous?.document ?? null, this.#clock.wallMs(), heard, facts);
    // The same order again, because it was not confirmed in time, says nothing new: it keeps its number.
    const isSaid = previous !== null && saysTheSame(planned, previous.document, heard.highestEpoch);
    const document = isSaid ? previous.document : await sealed(planned, this.#signer);
    const admission = admit(document, null, 0);
    if (admission.kind !== "adopt") {
      // A way back that no data plane could take, of a rollout that none has taken a document of: nothing is to be
      // undone.
      if (order.args.closed.includes("candidate") && previous?.document.rolloutId !== plan.rolloutId) return null;
      throw new DriverError("rejected", "never", `no data plane would take the document: ${reasonOf(admission)}`);
    }
    const next: PublishedDocument = { document, orderId: order.id };
    const move = this.#pointers.moveBy(plan, order.args, document, pinned);
    const change = { published: { expected: previous?.document ?? null, next } };
    const isStored = await this.#store.commit(move === null ? change : { ...change, pointer: move });
    if (!isStored) throw lostStore(`document of ${plan.service}, another one than ${document.epoch}.${document.seq}`);
    if (move !== null) this.#pointers.remember(move);
    return this.#remember(plan, next);
  }
}

/** The document in force with other regions. Whoever stands in none, or reads none, goes to the first in service. */
function inRegions(before: RoutingDocument, regions: Regions, drill: string): RoutingDocument {
  const [first = null] = regions.filter(({ ownBp, isFit }) => ownBp === BP_ALL && isFit);
  const endpoints = first?.endpoints ?? before.arms.stable.endpoints;
  const { shadow: _, ...rest } = before;
  const arms = { stable: { ...before.arms.stable, endpoints }, candidate: null };
  return { ...rest, rolloutId: drill, arms, candidateBp: BP_NONE, closed: [], regions };
}

/** True when only the numbers and the time differ, and no data plane is beyond the number in force. */
function saysTheSame(next: RoutingDocument, inForce: RoutingDocument, highestEpoch: number): boolean {
  const { epoch, seq, issuedAt } = inForce;
  const text = (document: RoutingDocument) =>
    canonicalJson({ ...contentOf(document), epoch, seq, issuedAt } as unknown as Json);
  return highestEpoch <= epoch && text(next) === text(inForce);
}

/** True when both ids `rollout/generation/index` are of one rollout and `id` was ordered before `published`. */
function isSuperseded(id: string, published: string): boolean {
  const [rolloutId, generation, index] = parts(id);
  const [publishedRolloutId, publishedGeneration, publishedIndex] = parts(published);
  if (rolloutId !== publishedRolloutId) return false;
  return generation < publishedGeneration || (generation === publishedGeneration && index < publishedIndex);
}

function parts(id: string): readonly [rolloutId: string, generation: number, index: number] {
  const [index = "", generation = "", ...rolloutId] = id.split("/").reverse();
  return [rolloutId.reverse().join("/"), Number(generation), Number(index)];
}
