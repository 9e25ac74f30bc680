import { type Admission, admit, admitText } from "../core/routing/admit.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { compileRouteTable, type RouteTable } from "../core/routing/route.ts";

/**
 * What a data plane brings along. `P` is what it needs of a document beside the table: header readers, connection
 * pools, or nothing more than the table itself.
 */
export interface PlaneOptions<P> {
  /** The document to begin with; it is admitted like every later one. */
  readonly document: RoutingDocument;
  /** Prepares a table for traffic, once a document and never for a request. */
  readonly prepare: (table: RouteTable) => P;
  /** Called in the tick in which the next request is routed by another document. */
  readonly onAdopt?: (document: RoutingDocument) => void;
}

/**
 * The brain of a data plane: which documents it takes and what it decides by. It has no socket, no timer and no
 * storage, so that a gateway, the edge library and a simulation hold the same one.
 */
export class Plane<P> {
  readonly #options: PlaneOptions<P>;
  #document: RoutingDocument;
  #plan: P;
  #adopted = 0;
  #refused = 0;

  /** @throws TypeError that lists the problems when the first document is not admissible */
  constructor(options: PlaneOptions<P>) {
    const first = admit(options.document, null, 0);
    if (first.kind !== "adopt") throw new TypeError(`the routing document is not admissible: ${reasonOf(first)}`);
    this.#options = options;
    this.#document = first.document;
    this.#plan = options.prepare(compileRouteTable(first.document));
  }

  /** The document in force. */
  get document(): RoutingDocument {
    return this.#document;
  }

  /** What the next request is decided by. Take it once for a request: a later one may be of another document. */
  get plan(): P {
    return this.#plan;
  }

  /** Documents taken after the first one, and documents refused. */
  get counts(): { readonly adopted: number; readonly refused: number } {
    return { adopted: this.#adopted, refused: this.#refused };
  }

  /** Decides on a document that arrived as JSON text. */
  offer(text: string): Admission {
    return this.#take(admitText(text, this.#document));
  }

  /** The same for a document that is in memory already. */
  adopt(document: RoutingDocument): Admission {
    return this.#take(admit(document, this.#document, 0));
  }

  #take(admission: Admission): Admission {
    if (admission.kind === "refuse") this.#refused++;
    if (admission.kind !== "adopt") return admission;
    const { document } = admission;
    this.#plan = this.#options.prepare(compileRouteTable(document));
    this.#document = document;
    this.#adopted++;
    this.#options.onAdopt?.(document);
    return admission;
  }
}

/** Why a document was not taken, as one line. */
export function reasonOf(admission: Exclude<Admission, { kind: "adopt" }>): string {
  if (admission.kind === "keep") return admission.reason;
  return admission.problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
}
