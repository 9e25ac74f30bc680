/** What the access to a source adds to it in a test: fixed headers, and a text without the secret. */
export function withHeaders(headers: Readonly<Record<string, string>>, secret: string) {
  const send = (to: unknown, init: RequestInit = {}) => {
    const all = new Headers(init.headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    return fetch(String(to), { ...init, headers: all });
  };
  return { fetch: send as typeof fetch, redact: (text: string) => text.replaceAll(secret, "***") };
}
