import { Client, type Dispatcher, errors } from "undici";
import { assert } from "../../../core/assert.ts";
import type { IpAddress } from "../../../core/address/ip-address.ts";
import type { WebhookAnswer, WebhookPost, WebhookTransport } from "../../../ports/webhook-transport.ts";
import { readPolicy, type WebhookPolicy, type WebhookTransportOptions } from "./config.ts";
import { type PinnedConnection, pinConnection } from "./connect.ts";
import { checkAddresses, readTarget, type WebhookTarget } from "./target.ts";

/** The answer's body is nobody's: this much is read, so that a short answer ends in peace, and then the line is cut. */
const DISCARD_MAX_BYTES = 65_536;
const DISCARD_MS = 1_000;
const TIMEOUT_MAX_MS = 2_147_483_647;

/** Headers that describe the connection or name the host; they follow from the URL and the body. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|keep-alive|upgrade|expect|te|trailer|proxy-.*)$/i;

function assertOrder({ headers, timeoutMs }: WebhookPost): void {
  assert(
    timeoutMs > 0 && timeoutMs <= TIMEOUT_MAX_MS,
    `webhook timeoutMs is ${timeoutMs}, expected 1 to ${TIMEOUT_MAX_MS}`,
  );
  const own = Object.keys(headers).find((name) => OWN_HEADERS.test(name));
  assert(own === undefined, `webhook header "${own}" is set by the transport; leave it out`);
}

/** Settles with the work, or rejects when the signal does, whichever is first. */
function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Code or message; a happy-eyeballs failure has its codes inside. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(describe))].join(", ");
  const { code, message } = error as Error & { code?: string };
  return code === undefined ? message : `${code}: ${message}`;
}

type Found = { readonly kind: "checked"; readonly addresses: readonly IpAddress[] } | WebhookAnswer;

async function findAddresses(target: WebhookTarget, policy: WebhookPolicy, signal: AbortSignal): Promise<Found> {
  if (target.literal !== null) return { kind: "checked", addresses: [target.literal] };
  const unresolved = (why: string): Found => ({ kind: "unreachable", reason: `${target.host} has no address: ${why}` });
  try {
    const texts = await until(signal, policy.resolve(target.host));
    return texts.length === 0 ? unresolved("the resolver gave none") : checkAddresses(texts, policy);
  } catch (error) {
    return unresolved(describe(error));
  }
}

function failure(error: unknown, connection: PinnedConnection, host: string): WebhookAnswer {
  const peer = connection.strayPeer();
  if (peer !== null) {
    return { kind: "blocked", reason: `address ${peer} answered for ${host} but was not checked; nothing was sent` };
  }
  const reason = describe(error);
  return connection.isOpen()
    ? { kind: "lost", reason: `${host} took the connection but did not answer: ${reason}` }
    : { kind: "unreachable", reason: `no connection to ${host}: ${reason}` };
}

function answered({ statusCode, headers }: Dispatcher.ResponseData): WebhookAnswer {
  const retryAfter = [headers["retry-after"]].flat()[0] ?? null;
  return { kind: "answered", status: statusCode, retryAfter };
}

async function exchange(
  { url, host }: WebhookTarget,
  order: WebhookPost,
  connection: PinnedConnection,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const client = new Client(url.origin, { connect: connection.connect, headersTimeout: 0, bodyTimeout: 0 });
  const path = `${url.pathname}${url.search}`;
  try {
    const { headers, body } = order;
    const response = await client.request({ method: "POST", path, headers, body, signal, reset: true });
    const limit = { limit: DISCARD_MAX_BYTES, signal: AbortSignal.timeout(DISCARD_MS) };
    await response.body.dump(limit).catch(() => undefined); // The status is known; what follows changes nothing.
    return answered(response);
  } catch (error) {
    // A header that is none is our bug, found before anything was sent.
    if (error instanceof errors.InvalidArgumentError && !connection.isOpen()) throw error;
    return failure(error, connection, host);
  } finally {
    connection.close();
    await client.destroy();
  }
}

/**
 * Posts webhooks from Node.js without letting a URL reach the inside of the network: the URL is judged as WHATWG reads
 * it, all addresses of its name are judged, and the connection goes to those addresses and no other. One connection a
 * post, no redirects, no proxy from the environment. An answer whose head arrived in time counts, also when its body
 * breaks off. @source OWASP Server-Side Request Forgery Prevention Cheat Sheet
 * @throws DriverError `unsupported` on options that make no sense
 */
export function nodeWebhookTransport(options: WebhookTransportOptions = {}): WebhookTransport {
  const policy = readPolicy(options);
  return {
    async post(order) {
      assertOrder(order);
      const target = readTarget(order.url, policy);
      if (target.kind === "blocked") return target;
      const limit = new AbortController();
      const late = (): void => limit.abort(new Error(`not done within ${order.timeoutMs} ms`));
      const timer = setTimeout(late, order.timeoutMs);
      try {
        const found = await findAddresses(target, policy, limit.signal);
        if (found.kind !== "checked") return found;
        const connection = pinConnection({
          addresses: found.addresses,
          serverName: target.literal === null ? target.host : "",
          secureContext: policy.secureContext,
          signal: limit.signal,
        });
        return await exchange(target, order, connection, limit.signal);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
