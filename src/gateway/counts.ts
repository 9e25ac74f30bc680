/** What a gateway counted since it started; for `stats()`. */
export interface GatewayCounts {
  requests: number;
  /** Answers for what clients sent wrong. */
  refused: number;
  retries: number;
  /** Answers the gateway made itself instead of an arm's, and bodies it cut. */
  gatewayFailures: number;
  /** Requests and connections with an error below HTTP. */
  malformed: number;
  /** Connections ended at once: their client had its part of them. */
  connectionsRefused: number;
  /** Answers cut because their client read nothing. */
  stalled: number;
  /** Requests whose peer is no trusted proxy and which carried forwarding fields; these were overwritten. */
  untrustedForwarding: number;
  /** The same for headers that name the unit, or a schema pin; these were removed. */
  untrustedIdentity: number;
  /** The same for `x-warm`; the request counts as a user's. */
  untrustedWarm: number;
}

export function zeroCounts(): GatewayCounts {
  return {
    requests: 0,
    refused: 0,
    retries: 0,
    gatewayFailures: 0,
    malformed: 0,
    connectionsRefused: 0,
    stalled: 0,
    untrustedForwarding: 0,
    untrustedIdentity: 0,
    untrustedWarm: 0,
  };
}
