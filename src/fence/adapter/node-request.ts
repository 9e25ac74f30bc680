/** The part of a Node.js request that Express and Fastify pass on. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express: the whole path where the router is mounted deeper. */
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

function headersOf(request: NodeRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === "string") headers.set(name, value);
    else for (const one of value ?? []) headers.append(name, one);
  }
  return headers;
}

/** The same request as a web standard, with a body that was already read. The host is not part of any fingerprint. */
export function webRequestOf(request: NodeRequest, body: Uint8Array<ArrayBuffer>): Request {
  const method = request.method ?? "GET";
  const url = `http://node.invalid${request.originalUrl ?? request.url ?? "/"}`;
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(url, { method, headers: headersOf(request), ...(hasBody ? { body } : {}) });
}

/** Raw bytes of a body as a framework hands it over: bytes or text. Null for anything already parsed. */
export function rawBytes(body: unknown): Uint8Array<ArrayBuffer> | null {
  if (body === undefined || body === null) return new Uint8Array(0);
  if (body instanceof Uint8Array) return new Uint8Array(body);
  return typeof body === "string" ? new TextEncoder().encode(body) : null;
}
