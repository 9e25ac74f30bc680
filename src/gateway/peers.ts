import {
  type AddressBlock,
  formatIpAddress,
  type IpAddress,
  isInBlock,
  parseAddressBlock,
  parseIpAddress,
} from "../core/address/ip-address.ts";
import type { Peer } from "./client-connection.ts";
import { mayTake } from "./fair-slots.ts";

/** What is believed of a peer: `listed` everything, `unlisted` nothing, `no-list` what was never in question. */
export type Trust = "listed" | "unlisted" | "no-list";

const MAPPED = 0xffffn << 32n;
const NO_CLIENT = "unknown";
/** Addresses of sockets that are remembered as peers: a load balancer's connections come from few. */
const REMEMBERED = 1_024;

/** The peers of a gateway: who is trusted, and how many connections each has open. */
export class Peers {
  readonly #trusted: readonly AddressBlock[];
  readonly #connectionsMax: number;
  readonly #open = new Map<string, number>();
  readonly #known = new Map<string, Peer>();
  #connections = 0;

  /** @param trustedProxies addresses and blocks; throws a TypeError for anything else */
  constructor(trustedProxies: readonly string[], connectionsMax: number) {
    this.#trusted = trustedProxies.map(blockOf);
    this.#connectionsMax = connectionsMax;
  }

  get hasList(): boolean {
    return this.#trusted.length > 0;
  }

  trustOf({ isTrusted }: Peer): Trust {
    if (isTrusted) return "listed";
    return this.hasList ? "unlisted" : "no-list";
  }

  /** @param remoteAddress as the socket says it */
  peerOf(remoteAddress = ""): Peer {
    const known = this.#known.get(remoteAddress);
    if (known !== undefined) return known;
    const address = addressOf(remoteAddress);
    const peer =
      address === null
        ? { address: "", isTrusted: false }
        : { address: formatIpAddress(address), isTrusted: this.#isTrusted(address) };
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(remoteAddress, peer);
    return peer;
  }

  /**
   * The client whose share a request takes: the last hop that no trusted proxy vouches for. Null, which is no share at
   * all, for a trusted proxy that does not say for whom it asks.
   * @param forwardedFor the peer's own `x-forwarded-for`
   */
  clientOf(peer: Peer, forwardedFor: string | null): string | null {
    if (!peer.isTrusted) return peer.address === "" ? NO_CLIENT : peer.address;
    const hops = forwardedFor === null ? [] : forwardedFor.split(",");
    for (let at = hops.length - 1; at >= 0; at--) {
      const text = (hops[at] as string).trim();
      const address = addressOf(text);
      if (address === null) return text === "" ? null : NO_CLIENT;
      if (!this.#isTrusted(address)) return formatIpAddress(address);
    }
    return null;
  }

  /** Counts a new connection; false when the peer has its part of them already. */
  enter({ address, isTrusted }: Peer): boolean {
    const open = this.#open.get(address) ?? 0;
    const free = this.#connectionsMax - this.#connections;
    if (isTrusted ? free <= 0 : !mayTake(open, free)) return false;
    this.#open.set(address, open + 1);
    this.#connections++;
    return true;
  }

  leave({ address }: Peer): void {
    const open = this.#open.get(address) ?? 0;
    if (open > 1) this.#open.set(address, open - 1);
    else this.#open.delete(address);
    this.#connections--;
  }

  #isTrusted(address: IpAddress): boolean {
    return this.#trusted.some((block) => isInBlock(address, block));
  }
}

/** An address without zone and port; an IPv4 one also when it comes mapped into IPv6. */
function addressOf(text: string): IpAddress | null {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]*):\d+$/.exec(text)?.[1] ?? text;
  const address = parseIpAddress(bare);
  if (address === null || address.family === 4) return address;
  if (address.bits >> 32n === MAPPED >> 32n) return { family: 4, bits: address.bits & 0xffff_ffffn, zone: null };
  return { ...address, zone: null };
}

function blockOf(text: string): AddressBlock {
  const block = parseAddressBlock(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
  if (block === null) throw new TypeError(`trustedProxies: "${text}" is no address and no block such as 10.0.0.0/8`);
  return block;
}
