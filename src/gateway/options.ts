import type { Pin } from "../core/routing/route.ts";
import type { FollowerOptions } from "../link/follower.ts";

/** How long the gateway waits, in milliseconds. The two waits for an answer are checked about once a second. */
export interface GatewayTimeouts {
  /** For a connection to an endpoint. */
  readonly connectMs: number;
  /** From the request sent to the answer's headers; long, because a model may think before its first byte. */
  readonly headersMs: number;
  /** Between two pieces of an answer's body. */
  readonly bodyIdleMs: number;
  /**
   * A connection to an endpoint that has nothing to do is closed after this; shorter than services keep theirs, or a
   * request could meet one that the service is just closing. gunicorn keeps 2 s, Node.js and uvicorn 5 s.
   */
  readonly upstreamIdleMs: number;
  /** For a connection to an endpoint to become free, when all are in use. */
  readonly queueMs: number;
  /** For a client to send its headers. */
  readonly clientHeadersMs: number;
  /** For a client to send its whole request. */
  readonly clientRequestMs: number;
  /** For a client to read some of what it was sent; one that reads nothing is cut. */
  readonly clientWriteMs: number;
  /** An idle client connection stays open this long; longer than the usual 60 s of the proxy before us. */
  readonly clientIdleMs: number;
}

export const DEFAULT_TIMEOUTS: GatewayTimeouts = {
  connectMs: 3_000,
  headersMs: 120_000,
  bodyIdleMs: 120_000,
  upstreamIdleMs: 1_500,
  queueMs: 30_000,
  clientHeadersMs: 10_000,
  clientRequestMs: 120_000,
  clientWriteMs: 60_000,
  clientIdleMs: 65_000,
};

export interface GatewayLimits {
  /** All headers of a request together. */
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly bodyBytes: number;
  /** Open connections of clients; of each client fewer than of those that are left. */
  readonly clientConnections: number;
  /** Connections to one endpoint; more requests wait, clients taking turns. No client gets all of them. */
  readonly connectionsPerEndpoint: number;
  /** Requests that may wait for a connection to one endpoint; more are answered 503. */
  readonly waitingPerEndpoint: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  headerBytes: 16_384,
  headerCount: 100,
  bodyBytes: 67_108_864,
  clientConnections: 10_000,
  connectionsPerEndpoint: 256,
  waitingPerEndpoint: 1_024,
};

export interface GatewayOptions extends FollowerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** Wide events, one JSON line for each request; off by default. A path, or a function that takes whole lines. */
  readonly events?: string | ((lines: string) => void) | undefined;
  /** Region this gateway stands in: its part of a document with regions, and for wide events; default: none. */
  readonly region?: string | undefined;
  readonly timeouts?: Partial<GatewayTimeouts>;
  readonly limits?: Partial<GatewayLimits>;
  /**
   * Addresses and blocks (`10.0.0.0/8`) of the proxies before us; default: none. Only they may say who a request is
   * from (`x-forwarded-for` and its family) and send `x-warm: true`, and once there are some, only they may send the
   * headers that name the unit.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Verifies the signed token of `x-release-pin`; null when it is not valid now. Absent: there are no pins. */
  readonly verifyPin?: (token: string) => Pin | null;
}
