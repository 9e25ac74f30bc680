/** An answer the gateway makes itself because of what the client sent. Never a failure of an arm. */
export interface Refusal {
  readonly status: number;
  /** Stable word of the problem document. */
  readonly code: string;
  readonly detail: string;
}

const refusal = (status: number, code: string, detail: string): Refusal => ({ status, code, detail });

/** Every rule a request can break, by name. */
export const REFUSALS = {
  version: refusal(505, "http-version", "the gateway speaks HTTP/1.0 and HTTP/1.1"),
  method: refusal(405, "method", "TRACE and CONNECT are not forwarded"),
  target: refusal(400, "request-target", "expected a path without control characters, of the authority in Host"),
  dotSegment: refusal(400, "dot-segment", 'the path has "." or ".." segments; send it resolved'),
  host: refusal(400, "host", "expected exactly one Host field"),
  hostName: refusal(400, "host-name", "the Host field is no host name or address with an optional port"),
  contentLength: refusal(400, "content-length", "expected one Content-Length of digits, and no Transfer-Encoding"),
  transferEncoding: refusal(501, "transfer-encoding", "the only coding taken is chunked, once, in HTTP/1.1"),
  headerCount: refusal(431, "header-count", "too many header fields"),
  identity: refusal(400, "identity-header", "a header that names the unit came more than once"),
  upgrade: refusal(501, "upgrade", "protocol upgrades are not forwarded; use a streamed answer"),
  bodySize: refusal(413, "body-size", "the request body is larger than the gateway takes"),
  malformed: refusal(400, "malformed", "the request is not valid HTTP/1.1"),
  headerSize: refusal(431, "header-size", "the header section is larger than the gateway takes"),
  slow: refusal(408, "request-timeout", "the request did not arrive in time"),
  expectation: refusal(417, "expectation", "the only expectation met is 100-continue"),
} as const;
