import { type ClientRequest, type IncomingMessage, request } from "node:http";

/** What one request is made of. A list of bodies is sent in pieces, without a length. */
export interface Sent {
  readonly method?: string;
  readonly key?: string;
  readonly type?: string | undefined;
  readonly body?: Buffer | string | readonly (Buffer | string)[] | undefined;
}

/** Everything a client could see of an answer. */
export interface Seen {
  readonly status: number;
  /** `name: value`, sorted; without what belongs to one transmission. */
  readonly headers: readonly string[];
  readonly body: string;
  /** The connection ended before the answer did. */
  readonly isBroken: boolean;
  readonly informational: readonly number[];
}

const OF_TRANSMISSION = /^(date|connection|keep-alive|transfer-encoding|content-length):/;
/** Differ from one answer to the next by themselves. */
const OF_MIDDLEWARE = /^(x-response-time|set-cookie: connect\.sid)/;

function headersOf(message: IncomingMessage): string[] {
  const byName = new Map<string, string[]>();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    const name = (message.rawHeaders[index] as string).toLowerCase();
    byName.set(name, [...(byName.get(name) ?? []), message.rawHeaders[index + 1] as string]);
  }
  // Repeated fields and one joined field mean the same (RFC 9110 §5.3); cookies are the exception.
  const lines = [...byName].flatMap(([name, values]) =>
    name === "set-cookie" ? values.map((value) => `${name}: ${value}`) : [`${name}: ${values.join(", ")}`],
  );
  return lines.filter((line) => !OF_TRANSMISSION.test(line) && !OF_MIDDLEWARE.test(line)).sort();
}

export interface Asked {
  readonly seen: Promise<Seen>;
  /** Closes the connection at once. */
  leave(): void;
}

/** Sends one request on a connection of its own. */
export function open(url: string, { method = "POST", key, type, body }: Sent): Asked {
  const headers: Record<string, string | number> = {};
  if (key !== undefined) headers["idempotency-key"] = key;
  if (type !== undefined) headers["content-type"] = type;
  const isWhole = typeof body === "string" || Buffer.isBuffer(body);
  if (isWhole) headers["content-length"] = Buffer.byteLength(body);
  if (body === undefined && method !== "GET") headers["content-length"] = 0;
  const informational: number[] = [];
  let asked: ClientRequest | undefined;
  const seen = new Promise<Seen>((resolve) => {
    asked = request(url, { method, headers, agent: false }, (message) => {
      const chunks: Buffer[] = [];
      const settle = (isBroken: boolean) =>
        resolve({
          status: message.statusCode ?? 0,
          headers: headersOf(message),
          body: Buffer.concat(chunks).toString("latin1"),
          isBroken,
          informational,
        });
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("end", () => settle(false));
      message.on("error", () => settle(true));
    });
    asked.on("information", ({ statusCode }) => informational.push(statusCode));
    asked.setTimeout(10_000, () => {
      resolve({ status: 0, headers: [], body: "(no answer in 10 s)", isBroken: true, informational });
      asked?.destroy();
    });
    asked.on("error", () => resolve({ status: 0, headers: [], body: "", isBroken: true, informational }));
    if (Array.isArray(body)) for (const piece of body) asked.write(piece);
    asked.end(isWhole ? body : undefined);
  });
  return { seen, leave: () => void asked?.destroy() };
}

export const ask = (url: string, sent: Sent): Promise<Seen> => open(url, sent).seen;
export const headerIn = (seen: Seen, name: string) =>
  seen.headers.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null;
export const problemIn = (seen: Seen) => /urn:sluice:problem:([a-z-]+)/.exec(seen.body)?.[1] ?? null;
