import { type Admission, admit, admitText } from "../core/routing/admit.ts";
import { DOCUMENT_VERSION, isProvisional, type RoutingDocument } from "../core/routing/document.ts";
import type { LeaseGrant, PlaneReport } from "../core/routing/lease.ts";
import { regionView } from "../core/routing/regions.ts";
import { compileRouteTable, type RouteTable, stableOnly } from "../core/routing/route.ts";
import { digestOf } from "./digest.ts";
import { KeyRing, NO_KEYS } from "./key-ring.ts";
import { Lease, type LeaseAsk, type LeaseClock } from "./lease.ts";
import type { Proof } from "./proof.ts";

/**
 * What a data plane brings along. `P` is what it needs of a document beside the table: header readers, connection
 * pools, or nothing more than the table itself.
 */
export interface PlaneOptions<P> {
  /** The document to begin with, which whoever starts the data plane answers for: nobody else has to have signed it. */
  readonly document: RoutingDocument;
  readonly clock: LeaseClock;
  /** Prepares a table for traffic, once or twice a document and never for a request. */
  readonly prepare: (table: RouteTable) => P;
  /** Region it stands in, by which it reads its part of a document; left out: it stands in none. */
  readonly region?: string | undefined;
  /** Its name toward the controller, the same over restarts; without one it can hold no lease. */
  readonly planeId?: string | undefined;
  /** The keys of its controller; by default none, and then no document that arrives is taken and no lease is held. */
  readonly keys?: KeyRing | undefined;
  /** Tells the controller's answers from others' where signatures are not looked at; else they have to be signed. */
  readonly proof?: Proof | undefined;
  /** A person's word from before a restart. */
  readonly override?: Override | null | undefined;
  /** Called in the tick in which the next request is routed by another document. */
  readonly onAdopt?: ((document: RoutingDocument) => void) | undefined;
  /** Called when a person's word begins or ends. */
  readonly onOverride?: ((override: Override | null) => void) | undefined;
}

/** A person's word at the data plane itself: stable alone, until `follow` or another order than `under` arrives. */
export interface Override {
  readonly to: "stable";
  /** The document's `override` field when it was said. */
  readonly under: string | null;
}

/** Code of a document that is valid and not signed by whom it should be. */
const UNBELIEVED = "E403";

/** Code of a document that this data plane cannot do. */
const UNSERVED = "E404";

/** Whether a document was refused for its signature alone: with other keys it may be taken. */
export function isUnbelieved(admission: Admission): boolean {
  return admission.kind === "refuse" && admission.problems.some(({ code }) => code === UNBELIEVED);
}

/**
 * The brain of a data plane: which documents it takes and what it decides by. It has no socket, no timer and no
 * storage, so that a gateway, the edge library and a simulation hold the same one.
 */
export class Plane<P> {
  readonly #options: PlaneOptions<P>;
  readonly #lease: Lease;
  readonly #keys: KeyRing;
  #document: RoutingDocument;
  #routed: RoutingDocument;
  #plan: P;
  /** Stable alone; null while nothing is provisional. */
  #refuge: P | null = null;
  #override: Override | null = null;
  #overridden: P | null = null;
  #refused: PlaneReport["refused"] = null;
  #reports = 0;
  #start = "";
  readonly #counts = { adopted: 0, refused: 0, leaseExpired: 0 };

  /** @throws TypeError that lists the problems when the first document is not admissible */
  constructor(options: PlaneOptions<P>) {
    const first = admit(options.document, null, 0);
    if (first.kind !== "adopt") throw new TypeError(`the routing document is not admissible: ${reasonOf(first)}`);
    this.#options = options;
    this.#lease = new Lease(options.clock);
    this.#keys = options.keys ?? new KeyRing(NO_KEYS);
    this.#document = first.document;
    this.#routed = first.document;
    this.#override = options.override ?? null;
    this.#plan = this.#prepare(first.document);
  }

  /** The document in force. */
  get document(): RoutingDocument {
    return this.#document;
  }

  /** The same as it is routed by here: with the regions behind its arms, where it has any. */
  get routed(): RoutingDocument {
    return this.#routed;
  }

  /**
   * What a request that arrives now is decided by. Take it once for a request: a later one may be of another document.
   * The lease is looked at here, at each decision, so that it is over when it is over, whatever else stands still.
   */
  planAt(monoMs: number): P {
    if (this.#overridden !== null) return this.#overridden;
    if (this.#refuge === null || this.#lease.isRunning(monoMs)) return this.#plan;
    this.#counts.leaseExpired++;
    return this.#refuge;
  }

  /** Documents taken after the first one, documents refused, and decisions made without the lease they needed. */
  get counts(): { readonly adopted: number; readonly refused: number; readonly leaseExpired: number } {
    return this.#counts;
  }

  /** A person's word in force; null when the document decides. */
  get override(): Override | null {
    return this.#override;
  }

  /** How long the lease still runs at most; 0 without one. */
  get leaseLeftMs(): number {
    return this.#lease.leftMs();
  }

  /**
   * Decides on a document that arrived as JSON text. One that is signed by nobody whom it was told of is refused.
   * @param serve makes it what is served before it counts as taken; a sentence why it cannot be is a refusal
   */
  async offer(text: string, serve?: (document: RoutingDocument) => Promise<string | null>): Promise<Admission> {
    const json = () => JSON.parse(text) as unknown;
    const admission = admitText(text, this.#document);
    if (admission.kind !== "adopt") return this.#take(admission, json);
    const seal = await this.#keys.check(admission.document);
    // Another document may have been taken meanwhile, and this one is not to be taken after it.
    const refused = (code: string, path: string, message: string): Admission =>
      this.#take({ kind: "refuse", problems: [{ code, path, message }] }, json);
    if (seal.kind !== "signed") return refused(UNBELIEVED, "signature", seal.message);
    const unserved = (await serve?.(admission.document)) ?? null;
    return unserved === null ? this.adopt(admission.document) : refused(UNSERVED, "", unserved);
  }

  /** Decides on a document of this very process, which needs no signature. */
  adopt(document: RoutingDocument): Admission {
    return this.#take(admit(document, this.#document, 0), () => document);
  }

  /** A person's word: `stable` serves stable alone without asking a controller, null follows the document again. */
  overrideWith(to: "stable" | null): void {
    this.#setOverride(to === null ? null : { to, under: this.#document.override ?? null });
  }

  /**
   * What to put into a request to the controller, and what its answer is to be heard with.
   * @param nonce unpredictable, at least 16 bytes as text, never used before
   */
  report(nonce: string, isLeaving: boolean): { readonly report: PlaneReport; readonly ask: LeaseAsk } {
    const document = this.#document;
    const digest = digestOf(document);
    const ask = this.#lease.ask(nonce, document);
    if (this.#reports === 0) this.#start = nonce;
    const report: PlaneReport = {
      version: DOCUMENT_VERSION,
      id: this.#options.planeId ?? "",
      digest,
      nonce,
      number: this.#reports++,
      start: this.#start,
      leaseLeftMs: this.#lease.leftMs(),
      override: this.#override?.to ?? null,
      refused: this.#refused,
      isLeaving,
      ...(this.#keys.acceptsUnsigned ? { acceptsUnsigned: true } : {}),
      ...(this.#options.region === undefined ? {} : { region: this.#options.region }),
    };
    return { report, ask };
  }

  /** Takes what the controller answered to a report. Null when it renewed the lease, else why it did not. */
  hear(ask: LeaseAsk, grant: LeaseGrant): Promise<string | null> {
    const { planeId, proof } = this.#options;
    const keys = this.#keys;
    if (planeId === undefined) return Promise.resolve("it was told no name");
    return this.#lease.hear(ask, planeId, grant, async (text, { proof: proven, kid, signature }) => {
      if (!keys.acceptsUnsigned) return keys.isSigned(kid, text, signature);
      return (await proof?.isProven(text, proven)) ?? false;
    });
  }

  #take(admission: Admission, json: () => unknown): Admission {
    if (admission.kind === "refuse") this.#counts.refused++;
    if (admission.kind !== "adopt") {
      this.#refused = this.#refusal(admission, json) ?? this.#refused;
      return admission;
    }
    const { document } = admission;
    const before = this.#document;
    if (document.rolloutId !== before.rolloutId || document.store !== before.store) this.#lease.end();
    this.#document = document;
    this.#refused = null;
    const isOrderedAnew = (document.override ?? null) !== (this.#override?.under ?? null);
    if (this.#override !== null && isOrderedAnew) this.#setOverride(null);
    this.#plan = this.#prepare(document);
    this.#counts.adopted++;
    this.#options.onAdopt?.(document);
    return admission;
  }

  /**
   * While a person's word stood, a way back counted as confirmed here: once it ends, the controller has to be heard of
   * again before anybody meets the candidate.
   */
  #setOverride(override: Override | null): void {
    if (this.#override !== null && override === null) this.#lease.end();
    this.#override = override;
    this.#plan = this.#prepare(this.#document);
    this.#options.onOverride?.(override);
  }

  #prepare(document: RoutingDocument): P {
    const { prepare } = this.#options;
    const view = regionView(document, this.#options.region ?? null);
    this.#routed = view.document;
    const compiled = compileRouteTable(view.document);
    const table = document.regions === undefined ? compiled : { ...compiled, places: view.places };
    this.#refuge = isProvisional(document) ? prepare(stableOnly(table, "lease-expired")) : null;
    this.#overridden = this.#override === null ? null : prepare(stableOnly(table, "override"));
    return prepare(table);
  }

  /** What the controller is told about a document that was not taken; null for the one in force coming again. */
  #refusal(admission: Exclude<Admission, { kind: "adopt" }>, json: () => unknown): PlaneReport["refused"] {
    const { epoch, seq } = numberOf(json);
    const isInForce = admission.kind === "keep" && epoch === this.#document.epoch && seq === this.#document.seq;
    return isInForce ? null : { epoch, seq, reason: reasonOf(admission).slice(0, 1_000) };
  }
}

/** Epoch and seq of something that may be a document; 0 where it is none. */
function numberOf(json: () => unknown): { readonly epoch: number; readonly seq: number } {
  const whole = (value: unknown) => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0);
  try {
    const { epoch, seq } = json() as { epoch?: unknown; seq?: unknown };
    return { epoch: whole(epoch), seq: whole(seq) };
  } catch {
    return { epoch: 0, seq: 0 };
  }
}

/** Why a document was not taken, as one line. */
export function reasonOf(admission: Exclude<Admission, { kind: "adopt" }>): string {
  if (admission.kind === "keep") return admission.reason;
  return admission.problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
}
