import { connect as connectTcp, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import type { buildConnector } from "undici";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../../core/address/ip-address.ts";

/** A name with many addresses must not make one post knock on all of them. */
const MAX_ADDRESSES = 4;

/** Where one connection goes. */
export interface ConnectionOrder {
  /** Checked addresses; the first four are tried. */
  readonly addresses: readonly IpAddress[];
  /** Name for SNI; empty where the URL names an address. */
  readonly serverName: string;
  readonly secureContext: SecureContext;
  /** Ends the attempt; once the HTTP client has the connection, the client listens itself. */
  readonly signal: AbortSignal;
}

/** One connection that can only go to addresses that were checked. */
export interface PinnedConnection {
  /** The connector for the HTTP client. It connects once; a second call fails. */
  readonly connect: buildConnector.connector;
  /** Whether the HTTP client has the connection and so may have written to it. */
  isOpen(): boolean;
  /** The peer that was not among the checked addresses; null when there was none. */
  strayPeer(): string | null;
  close(): void;
}

type PinnedAddress = { readonly address: string; readonly family: 4 | 6 };

/** Stands in for name resolution: whatever is asked, the answer is the checked addresses. */
function pinnedLookup(pinned: readonly PinnedAddress[]): LookupFunction {
  return (_host, options, done) => {
    const [first] = pinned;
    if (first === undefined) queueMicrotask(() => done(new Error("no address is pinned"), ""));
    else if (options.all) queueMicrotask(() => done(null, [...pinned]));
    else queueMicrotask(() => done(null, first.address, first.family));
  };
}

/** Calls back once: with the socket when it may be written to, with the error otherwise. */
type Ending = (error: Error | null, socket: Socket) => void;

function secure(tcp: Socket, host: string, order: ConnectionOrder, end: Ending): Socket {
  const { serverName: servername, secureContext } = order;
  const options = { socket: tcp, host, servername, secureContext, rejectUnauthorized: true };
  const secured = connectTls({ ...options, ALPNProtocols: ["http/1.1"] });
  secured.on("error", (error) => end(error, secured));
  secured.once("secureConnect", () => end(null, secured));
  return secured;
}

/**
 * Pins a connection to addresses. The name is not resolved again, whatever its time to live: it only serves as SNI and
 * for the certificate. The peer is compared once more before the first byte is sent, TLS included.
 */
export function pinConnection(order: ConnectionOrder): PinnedConnection {
  const { signal } = order;
  const pinned = order.addresses
    .slice(0, MAX_ADDRESSES)
    .map((address) => ({ address: formatIpAddress(address), family: address.family }));
  const sockets: Socket[] = [];
  let isOpen = false;
  let strayPeer: string | null = null;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
  };

  const connect: buildConnector.connector = ({ hostname, protocol, port }, callback) => {
    if (sockets.length > 0) return callback(new Error("one post has one connection"), null);
    const isTls = protocol === "https:";
    const tcp = connectTcp({
      host: hostname,
      port: Number(port || (isTls ? 443 : 80)),
      lookup: pinnedLookup(pinned),
      noDelay: true,
    });
    sockets.push(tcp);
    const onAbort = (): void => end(signal.reason, tcp);
    let hasEnded = false;
    const end: Ending = (error, socket) => {
      if (hasEnded) return;
      hasEnded = true;
      signal.removeEventListener("abort", onAbort);
      isOpen = error === null;
      if (error === null) return callback(null, socket);
      close();
      callback(error, null);
    };
    signal.addEventListener("abort", onAbort);
    tcp.on("error", (error) => end(error, tcp));
    tcp.once("connect", () => {
      const peer = parseIpAddress(tcp.remoteAddress ?? "");
      const peerText = peer === null ? `${tcp.remoteAddress}` : formatIpAddress(peer);
      if (!pinned.some(({ address }) => address === peerText)) {
        strayPeer = peerText;
        end(new Error(`connected to ${peerText}, which was not checked`), tcp);
      } else if (isTls) sockets.push(secure(tcp, hostname, order, end));
      else end(null, tcp);
    });
  };

  return { connect, isOpen: () => isOpen, strayPeer: () => strayPeer, close };
}
