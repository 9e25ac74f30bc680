import type { Admission } from "../core/routing/admit.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import type { Route, RouteTable } from "../core/routing/route.ts";
import type { SchemaRefusal } from "../core/routing/schema-lock.ts";
import type { LeaseGrant, PlaneReport } from "../core/routing/lease.ts";
import { Decider } from "../plane/decider.ts";
import { hexOf } from "../plane/digest.ts";
import type { LeaseAsk, LeaseClock } from "../plane/lease.ts";
import { KeyRing, type KnownKeys } from "../plane/key-ring.ts";
import { Plane } from "../plane/plane.ts";
import { tokenProof } from "../plane/proof.ts";
import { WEB_CLOCK } from "./web-clock.ts";
import { answerFrom, badGateway, forwardedRequest, noMatchingRevision } from "./forward.ts";
import { type Identify, type Identity, identifyByTrustedHeaders, NOBODY, trustedPinsIn } from "./identify.ts";

/** What became of a request, for logs and telemetry. Carries no unit and no header of the client. */
export interface RoutedRequest {
  /** A refusal where no open arm serves the request's schema pins. */
  readonly route: Route | SchemaRefusal;
  readonly document: { readonly epoch: number; readonly seq: number };
  /** `unreachable`: the origin gave no answer and the router made one. `refused`: no arm was asked. */
  readonly kind: "answered" | "unreachable" | "refused";
  readonly status: number;
}

export interface RouterOptions {
  /**
   * The document to start with. It is yours like your code, so nobody else has to have signed it: what you fetch from
   * elsewhere belongs into `updateDocument`.
   */
  readonly document: RoutingDocument;
  /** Default: `identifyByTrustedHeaders` of the document in force. */
  readonly identify?: Identify;
  /**
   * Public keys of the controller, as `sluice key show` prints them: only what they sign is taken by `updateDocument`,
   * and only leases that they sign count. Default: none, so `document` stays in force. "accept-unsigned" looks at no
   * signature: then whoever can hand this router a document orders its traffic.
   */
  readonly keys?: readonly string[] | "accept-unsigned";
  /** Called when a key has handed over to another one: keep these, or the keys before count again after a restart. */
  readonly onKeys?: (known: KnownKeys) => void;
  /** Name of this router toward the controller: without it, it can hold no lease. */
  readonly planeId?: string;
  /** What it shares with the controller; proves leases where signatures are not looked at. */
  readonly secret?: string;
  /** Default: the platform's clocks. */
  readonly clock?: LeaseClock;
  /** Default: the platform's fetch. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Called once for each request when its answer's headers are known. Must not throw. */
  readonly onRouted?: (routed: RoutedRequest) => void;
}

/** Routes requests by the document in force. */
export interface Router {
  /**
   * Decides, forwards and labels one request. Rejects only when the client went away; an origin that cannot be
   * reached is an answer with status 502.
   */
  handle(request: Request): Promise<Response>;
  /**
   * Takes a document that arrived, as JSON text. It applies to the next request; requests in flight end where they
   * began. A document that is refused or not newer changes nothing.
   */
  updateDocument(text: string): Promise<Admission>;
  /** The document in force. */
  document(): RoutingDocument;
  /**
   * What to put into a telemetry push to the controller, and what the lease in its answer is to be heard with. A router
   * that never asks serves stable alone wherever the candidate is provisional.
   * @param nonce at least 16 unpredictable bytes as text, new for each push
   */
  report(nonce: string): { readonly report: PlaneReport; readonly ask: LeaseAsk };
  /** Takes the lease of an answer. Null when it counts, else why it does not. */
  hear(ask: LeaseAsk, grant: LeaseGrant): Promise<string | null>;
}

/** Makes a router. Throws a TypeError that lists the problems when the first document is not admissible. */
export function createRouter(options: RouterOptions): Router {
  const clock = options.clock ?? WEB_CLOCK;
  const send = options.fetch ?? ((request: Request) => fetch(request));
  const plane = planeOf(options, clock);
  let turn = 0; // Spreads requests over an arm's endpoints.

  return {
    async handle(request) {
      const { unit, pin, requestedArm } = await identityOf(plane.planAt(clock.monoMs()).identify, request);
      const { table, decider } = plane.planAt(clock.monoMs()); // Read after the wait: a rollback meanwhile counts.
      const pins = trustedPinsIn(request.headers, table.trustedPins);
      const { decision, cookie } = decider.decide(
        {
          unit,
          pin,
          wish: requestedArm,
          pins,
          cookies: request.headers.get("cookie"),
          edgeContext: null,
          mayBeVisitor: pin?.purpose !== "probe",
          isSecure: request.url.startsWith("https:"),
        },
        clock,
      );
      let response: Response;
      let kind: RoutedRequest["kind"] = "answered";
      if (decision.arm === null) {
        kind = "refused";
        response = noMatchingRevision(table, decision);
      } else {
        const { target } = decision;
        turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
        const endpoint = target.endpoints[turn % target.endpoints.length] as string;
        try {
          const context = decider.sayToGateway(decision, clock);
          const sent = forwardedRequest(request, target, endpoint, { pins, context });
          response = answerFrom(await send(sent), table, target);
          if (cookie !== null) response.headers.append("set-cookie", cookie);
        } catch (error) {
          if (request.signal.aborted) throw error;
          kind = "unreachable";
          response = badGateway(table, target);
        }
      }
      const { epoch, seq } = table.document;
      options.onRouted?.({ route: decision, document: { epoch, seq }, kind, status: response.status });
      return response;
    },
    updateDocument: (text) => plane.offer(text),
    document: () => plane.document,
    report: (nonce) => plane.report(nonce, false),
    hear: (ask, grant) => plane.hear(ask, grant),
  };
}

function planeOf(options: RouterOptions, clock: LeaseClock): Plane<RouterPlan> {
  return new Plane<RouterPlan>({
    document: options.document,
    clock,
    planeId: options.planeId,
    keys: keysOf(options),
    proof: options.secret === undefined ? undefined : tokenProof(options.secret),
    prepare: (table) => prepare(table, options),
  });
}

function keysOf({ keys = [], onKeys }: RouterOptions): KeyRing {
  return new KeyRing(keys === "accept-unsigned" ? "unsigned" : { trusted: keys, retired: [] }, onKeys);
}

/** What a router needs of a document. */
interface RouterPlan {
  readonly table: RouteTable;
  readonly decider: Decider;
  readonly identify: Identify;
}

function prepare(table: RouteTable, { identify }: RouterOptions): RouterPlan {
  const decider = new Decider(table, () => hexOf(crypto.getRandomValues(new Uint8Array(16))));
  return { table, decider, identify: identify ?? identifyByTrustedHeaders(table.document.identity) };
}

/** When in doubt, nobody: a failed verification must not choose an arm and must not fail the request. */
async function identityOf(identify: Identify, request: Request): Promise<Identity> {
  try {
    return await identify(request);
  } catch {
    return NOBODY;
  }
}
