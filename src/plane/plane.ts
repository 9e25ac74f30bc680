import { type Admission, admit, admitText } from "../core/routing/admit.ts";
import { DOCUMENT_VERSION, isProvisional, type RoutingDocument } from "../core/routing/document.ts";
import type { LeaseGrant, PlaneReport } from "../core/routing/lease.ts";
import { compileRouteTable, type RouteTable, stableOnly } from "../core/routing/route.ts";
import { digestOf } from "./digest.ts";
import { Lease, type LeaseAsk, type LeaseClock } from "./lease.ts";
import type { Proof } from "./proof.ts";

/**
 * What a data plane brings along. `P` is what it needs of a document beside the table: header readers, connection
 * pools, or nothing more than the table itself.
 */
export interface PlaneOptions<P> {
  /** The document to begin with; it is admitted like every later one. */
  readonly document: RoutingDocument;
  readonly clock: LeaseClock;
  /** Prepares a table for traffic, once or twice a document and never for a request. */
  readonly prepare: (table: RouteTable) => P;
  /** Its name toward the controller, the same over restarts; without one it can hold no lease. */
  readonly planeId?: string | undefined;
  /** Tells the controller's answers from others'; without one it can hold no lease. */
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

/**
 * The brain of a data plane: which documents it takes and what it decides by. It has no socket, no timer and no
 * storage, so that a gateway, the edge library and a simulation hold the same one.
 */
export class Plane<P> {
  readonly #options: PlaneOptions<P>;
  readonly #lease: Lease;
  #document: RoutingDocument;
  #plan: P;
  /** Stable alone; null while nothing is provisional. */
  #refuge: P | null = null;
  #override: Override | null = null;
  #overridden: P | null = null;
  #refused: PlaneReport["refused"] = null;
  readonly #counts = { adopted: 0, refused: 0, leaseExpired: 0 };

  /** @throws TypeError that lists the problems when the first document is not admissible */
  constructor(options: PlaneOptions<P>) {
    const first = admit(options.document, null, 0);
    if (first.kind !== "adopt") throw new TypeError(`the routing document is not admissible: ${reasonOf(first)}`);
    this.#options = options;
    this.#lease = new Lease(options.clock);
    this.#document = first.document;
    this.#override = options.override ?? null;
    this.#plan = this.#prepare(first.document);
  }

  /** The document in force. */
  get document(): RoutingDocument {
    return this.#document;
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

  /** Decides on a document that arrived as JSON text. */
  offer(text: string): Admission {
    return this.#take(admitText(text, this.#document), () => JSON.parse(text) as unknown);
  }

  /** The same for a document that is in memory already. */
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
    const report: PlaneReport = {
      version: DOCUMENT_VERSION,
      id: this.#options.planeId ?? "",
      digest,
      nonce,
      leaseLeftMs: this.#lease.leftMs(),
      override: this.#override?.to ?? null,
      refused: this.#refused,
      isLeaving,
    };
    return { report, ask };
  }

  /** Takes what the controller answered to a report. Null when it renewed the lease, else why it did not. */
  hear(ask: LeaseAsk, grant: LeaseGrant): Promise<string | null> {
    const { planeId, proof } = this.#options;
    if (planeId === undefined || proof === undefined) return Promise.resolve("it was told no name and no key");
    return this.#lease.hear(ask, planeId, grant, proof);
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

  #setOverride(override: Override | null): void {
    this.#override = override;
    this.#plan = this.#prepare(this.#document);
    this.#options.onOverride?.(override);
  }

  #prepare(document: RoutingDocument): P {
    const { prepare } = this.#options;
    const table = compileRouteTable(document);
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
