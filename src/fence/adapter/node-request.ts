/** The part of a Node.js request (`IncomingMessage`) the adapters use. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express: the whole path where the router is mounted deeper. */
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export function headerOf(request: NodeRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" ? value : (value?.join(", ") ?? null);
}

/** Headers of Node.js, whose repeated ones are lists, as a web standard. Undefined ones are absent. */
export function headersFrom(given: Iterable<readonly [string, unknown]>): Headers {
  const headers = new Headers();
  for (const [name, value] of given) {
    if (value === undefined || name.startsWith(":")) continue; // `:path` and the like of HTTP/2 are no headers.
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) headers.append(name, `${one}`);
  }
  return headers;
}

/** The same request as a web standard, with a body that was already read. The host is not part of any fingerprint. */
export function webRequestOf(request: NodeRequest, body: Uint8Array<ArrayBuffer>): Request {
  const method = request.method ?? "GET";
  const path = request.originalUrl ?? request.url ?? "/";
  const hasBody = method !== "GET" && method !== "HEAD";
  const headers = headersFrom(Object.entries(request.headers));
  const init = { method, headers, ...(hasBody ? { body } : {}) };
  return new Request(`http://node.invalid${path.startsWith("/") ? "" : "/"}${path}`, init);
}
