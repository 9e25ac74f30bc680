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
}

export function zeroCounts(): GatewayCounts {
  return {
    requests: 0,
    refused: 0,
    retries: 0,
    gatewayFailures: 0,
    malformed: 0,
  };
}
