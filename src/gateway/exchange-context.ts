import type { Place, Recorder } from "../core/window/recorder.ts";
import type { Clock } from "../ports/clock.ts";
import type { GatewayCounts } from "./counts.ts";
import type { EventLog } from "./event-log.ts";
import type { Mirror } from "./mirror.ts";
import type { ArmRoute } from "./routing-plan.ts";
import type { ShadowCopy } from "./shadow-copy.ts";
import type { StalledWrites } from "./stalled-writes.ts";

/** What all exchanges of one gateway share. */
export interface ExchangeContext {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly counts: GatewayCounts;
  readonly events: EventLog | null;
  readonly bodyBytesMax: number;
  readonly stalls: StalledWrites;
  readonly mirror: Mirror;
  /** No new requests are taken: connections end with their answer. */
  isDraining: boolean;
  /** The time for running requests is over: what ends now was cut by the gateway. */
  isCutting: boolean;
  inFlight: number;
  /** Called after each exchange. */
  onEnd(): void;
}

/** One decided request. */
export interface Assignment {
  readonly plan: ArmRoute;
  readonly place: Place;
  /** Bucket hash of the unit; null without one. */
  readonly hash: number | null;
  /** Labels by which evidence tells users apart; null where the document asks for none. */
  readonly segments: readonly string[] | null;
  readonly isProbe: boolean;
  /** `Set-Cookie` for the client; null for none. */
  readonly cookie: string | null;
  /** Whose share of the connections it takes: an address; null for a proxy that speaks for many. */
  readonly client: string | null;
  /** Point of presence of the edge before us; null where none is named. */
  readonly edgePop: string | null;
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  /** −1 when the request does not say. */
  readonly contentLength: number;
  readonly isChunked: boolean;
  /** Monotonic time at which the request arrived. */
  readonly startMs: number;
  /** Null for nearly all requests: it is not copied. */
  readonly copy: ShadowCopy | null;
}
