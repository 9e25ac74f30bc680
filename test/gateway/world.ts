import {
  createServer,
  type IncomingMessage,
  request,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { type Bp, epochMs } from "../../src/core/unit.ts";
import { systemClock, systemRandom } from "../../src/fence/system.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { KeyRing } from "../../src/plane/key-ring.ts";
import { type Gateway, startGateway } from "../../src/gateway/server.ts";

/** A request as an origin saw it. */
interface Seen {
  readonly method: string;
  readonly url: string;
  /** Name (lower case), value, … in order. */
  readonly raw: readonly string[];
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Origin {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Whole requests, in the order they were complete. */
  readonly seen: Seen[];
  close(): Promise<void>;
}

type Answer = (seen: Seen, res: ServerResponse, req: IncomingMessage) => void;

/** A service on a free port that records what reaches it. Default answer: 200 with the arm it was told. */
export async function anOrigin(answer: Answer = sayArm, port = 0): Promise<Origin> {
  const seen: Seen[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("error", () => {});
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const raw = req.rawHeaders.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text));
      const body = Buffer.concat(chunks).toString("latin1");
      const one: Seen = { method: req.method ?? "", url: req.url ?? "", raw, headers: req.headers, body };
      seen.push(one);
      answer(one, res, req);
    });
  });
  server.keepAliveTimeout = 30_000;
  const url = await listen(server, port);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, port: (server.address() as AddressInfo).port, server, seen, close };
}

export function listen(server: Server, port = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function sayArm(seen: Seen, res: ServerResponse): void {
  const body = JSON.stringify({ arm: seen.headers["x-exp"], url: seen.url, bytes: seen.body.length });
  res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}

/** A document with both arms; `parts` replaces fields. */
export function aDocument(
  stable: string,
  candidate: string | null,
  parts: Partial<RoutingDocument> = {},
): RoutingDocument {
  return {
    version: 1,
    service: "answers",
    epoch: 1,
    seq: 1,
    rolloutId: "r1",
    arms: {
      stable: { releaseId: "rel-a", endpoints: [stable], cachePrefix: "v1-blu:" },
      candidate: candidate === null ? null : { releaseId: "rel-b", endpoints: [candidate], cachePrefix: "v2-cnr:" },
    },
    candidateBp: (candidate === null ? 0 : 5_000) as Bp,
    sticky: { hash: "v1", seed: 7, ttlMs: 86_400_000 },
    identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
    allow: [],
    closed: [],
    drainMs: 5_000,
    issuedAt: epochMs(1_700_000_000_000),
    ...parts,
  };
}

export function aGateway(document: RoutingDocument, parts: Partial<GatewayOptions> = {}): Promise<Gateway> {
  return startGateway({
    listen: { host: "127.0.0.1", port: 0 },
    service: document.service,
    document,
    clock: systemClock,
    random: systemRandom,
    gatewayId: "gw-test",
    keys: new KeyRing("unsigned"), // conformance.test.ts and test/integration/served are about signatures.
    ...parts,
  });
}

/**
 * Sends bytes and returns all that came back until the server closed, or was quiet for `quietMs` after as many answers
 * as are due at least; gives up after 30 s.
 */
export function exchangeBytes(
  url: string,
  bytes: string | readonly string[],
  quietMs = 120,
  answersMin = 1,
): Promise<string> {
  const areDue = (text: string) => text.split("HTTP/1.1 ").length > answersMin;
  return converse(url, bytes, (text) => (areDue(text) ? quietMs : PATIENCE_MS));
}

/** Sends bytes and returns all that came back until `isDone` says so or the server closed; gives up after 30 s. */
export function exchangeUntil(url: string, bytes: string | readonly string[], isDone: RegExp): Promise<string> {
  return converse(url, bytes, (text) => (isDone.test(text) ? 0 : PATIENCE_MS));
}

const PATIENCE_MS = 30_000;

/** @param quietMs how long it may be quiet from now on, by what came so far; 0 when nothing more is waited for */
function converse(url: string, bytes: string | readonly string[], quietMs: (text: string) => number): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = "";
    let timer = setTimeout(() => socket.destroy(), Math.max(2_000, quietMs("")));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      clearTimeout(timer);
      const patienceMs = quietMs(text);
      if (patienceMs === 0) return void socket.destroy();
      timer = setTimeout(() => socket.destroy(), patienceMs);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
    for (const part of typeof bytes === "string" ? [bytes] : bytes) socket.write(Buffer.from(part, "latin1"));
  });
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** One request with node:http; rejects when the answer is cut. */
export function get(url: string, options: RequestOptions = {}, body: string | Buffer | null = null): Promise<Got> {
  return new Promise((resolve, reject) => {
    const req = request(url, options, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("error", reject);
      res.on("end", () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: String(Buffer.concat(chunks)) }),
      );
    });
    req.on("error", reject);
    req.end(body ?? undefined);
  });
}

/** Waits until `isTrue`; false when it never was. Long, because a machine may be busy: who waits in vain has failed. */
export async function eventually(isTrue: () => boolean, withinMs = 20_000): Promise<boolean> {
  const endMs = systemClock.monoMs() + withinMs;
  while (systemClock.monoMs() < endMs) {
    if (isTrue()) return true;
    await systemClock.sleep(5);
  }
  return isTrue();
}
