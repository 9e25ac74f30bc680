import { assert } from "../assert.ts";

/** An IP address as a number: 32 bits in family 4, 128 bits in family 6. `zone` is the part after `%`, null without. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly bits: bigint;
  readonly zone: string | null;
}

/** All addresses that share the first `prefixBits` bits. */
export interface AddressBlock {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly prefixBits: number;
}

/** Why an address is no place on the public internet. */
export type AddressPurpose =
  | "unspecified"
  | "this-network"
  | "loopback"
  | "private"
  | "carrier-nat"
  | "link-local"
  | "metadata"
  | "unique-local"
  | "site-local"
  | "multicast"
  | "broadcast"
  | "documentation"
  | "benchmark"
  | "protocol"
  | "discard"
  | "orchid"
  | "segment-routing"
  | "ipv4-mapped"
  | "ipv4-compatible"
  | "ipv4-translated"
  | "nat64"
  | "6to4"
  | "teredo"
  | "isatap"
  | "zoned"
  | "reserved";

/** `block` is the registry's entry that decided, for the message. */
export type AddressClass =
  | { readonly kind: "public" }
  | { readonly kind: "special"; readonly purpose: AddressPurpose; readonly block: string };

/**
 * Special blocks, the first match decides. Some are reachable worldwide (AS112, AMT, anycast of protocols) and still
 * refused: no webhook is served there. Metadata services stand before the blocks that contain them.
 * @source IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, 8190), IANA IPv6 Address Space; RFC of each
 * row. Metadata: documentation of AWS (EC2, ECS, EKS), Azure (168.63.129.16), Google Cloud, Oracle and Alibaba Cloud.
 */
const SPECIAL: readonly (readonly [block: string, purpose: AddressPurpose])[] = [
  ["169.254.169.254/32", "metadata"],
  ["169.254.170.2/32", "metadata"],
  ["169.254.170.23/32", "metadata"],
  ["168.63.129.16/32", "metadata"],
  ["192.0.0.192/32", "metadata"],
  ["100.100.100.200/32", "metadata"],
  ["0.0.0.0/32", "unspecified"],
  ["0.0.0.0/8", "this-network"], // RFC 791
  ["10.0.0.0/8", "private"], // RFC 1918
  ["100.64.0.0/10", "carrier-nat"], // RFC 6598
  ["127.0.0.0/8", "loopback"], // RFC 1122
  ["169.254.0.0/16", "link-local"], // RFC 3927
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "protocol"], // RFC 6890
  ["192.0.2.0/24", "documentation"], // RFC 5737
  ["192.31.196.0/24", "protocol"], // AS112, RFC 7535
  ["192.52.193.0/24", "protocol"], // AMT, RFC 7450
  ["192.88.99.0/24", "6to4"], // Relay anycast, RFC 7526
  ["192.168.0.0/16", "private"],
  ["192.175.48.0/24", "protocol"], // AS112, RFC 7534
  ["198.18.0.0/15", "benchmark"], // RFC 2544
  ["198.51.100.0/24", "documentation"],
  ["203.0.113.0/24", "documentation"],
  ["224.0.0.0/4", "multicast"], // RFC 5771
  ["255.255.255.255/32", "broadcast"], // RFC 919
  ["240.0.0.0/4", "reserved"], // RFC 1112
  ["fd00:ec2::/32", "metadata"],
  ["fd20:ce::254/128", "metadata"],
  ["fd00:c1::a9fe:a9fe/128", "metadata"],
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["::ffff:0:0/96", "ipv4-mapped"], // RFC 4291
  ["::ffff:0:0:0/96", "ipv4-translated"], // RFC 2765
  ["::/96", "ipv4-compatible"], // RFC 4291
  ["64:ff9b::/96", "nat64"], // RFC 6052
  ["64:ff9b:1::/48", "nat64"], // RFC 8215
  ["100::/64", "discard"], // RFC 6666
  ["100:0:0:1::/64", "discard"], // RFC 9780
  ["2001::/32", "teredo"], // RFC 4380
  ["2001:2::/48", "benchmark"], // RFC 5180
  ["2001:10::/28", "orchid"], // RFC 4843
  ["2001:20::/28", "orchid"], // RFC 7343
  ["2001::/23", "protocol"], // RFC 2928: AMT, AS112, anycast, DRIP
  ["2001:db8::/32", "documentation"], // RFC 3849
  ["2002::/16", "6to4"], // RFC 3056
  ["2620:4f:8000::/48", "protocol"], // AS112, RFC 7534
  ["3ffe::/16", "reserved"], // Returned to IANA, RFC 3701
  ["3fff::/20", "documentation"], // RFC 9637
  ["5f00::/16", "segment-routing"], // RFC 9602
  ["fc00::/7", "unique-local"], // RFC 4193
  ["fe80::/10", "link-local"], // RFC 4291
  ["fec0::/10", "site-local"], // RFC 3879
  ["ff00::/8", "multicast"], // RFC 4291
];

/** What IANA gives out as global unicast. @source RFC 4291 §2.4, IANA IPv6 Address Space */
const GLOBAL_UNICAST = "2000::/3";

const SPECIAL_BLOCKS = SPECIAL.map(([text, purpose]) => ({ text, purpose, block: knownBlock(text) }));
const GLOBAL_UNICAST_BLOCK = knownBlock(GLOBAL_UNICAST);

function knownBlock(text: string): AddressBlock {
  const block = parseAddressBlock(text);
  assert(block !== null, `${text} is not an address block`);
  return block;
}

function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split(".");
  const isDecimal = parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return parts.length === 4 && isDecimal ? parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) : null;
}

/** 16-bit groups of one side of `::`, in hex; an IPv4 tail counts as two. Null when it is none. */
function parseGroups(side: string, isTail: boolean): readonly string[] | null {
  if (side === "") return [];
  const groups = side.split(":");
  const last = groups.at(-1) ?? "";
  if (isTail && last.includes(".")) {
    const tail = parseIpv4(last);
    if (tail === null) return null;
    groups.splice(-1, 1, (tail >> 16n).toString(16), (tail & 0xffffn).toString(16));
  }
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups : null;
}

function parseIpv6(text: string): bigint | null {
  const [left = "", right, ...more] = text.split("::");
  if (more.length > 0) return null;
  const head = parseGroups(left, right === undefined);
  const tail = right === undefined ? [] : parseGroups(right, true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (right === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/**
 * Reads an IP address as `inet_pton` does: IPv4 in four decimal parts without leading zeros, IPv6 in any RFC 4291 form,
 * with a zone where one is given. Octal, hexadecimal and shortened IPv4 are null: a URL parser has normalised them
 * before.
 */
export function parseIpAddress(text: string): IpAddress | null {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null) return { family: 4, bits: ipv4, zone: null };
  const mark = text.indexOf("%");
  const zone = mark < 0 ? null : text.slice(mark + 1);
  const ipv6 = zone === "" ? null : parseIpv6(mark < 0 ? text : text.slice(0, mark));
  return ipv6 === null ? null : { family: 6, bits: ipv6, zone };
}

/** The one spelling of an address: dotted decimal, or RFC 5952 as URLs have it (lower-case, hex to the end). */
export function formatIpAddress({ family, bits, zone }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((bits >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  const text = groups.join(":");
  const zeros = (run: string): number => run.split("0").length - 1;
  const runs = text.match(/(^|:)0(:0)+(:|$)/g) ?? [];
  const longest = runs.reduce((best, run) => (zeros(run) > zeros(best) ? run : best), "");
  const short = longest === "" ? text : text.replace(longest, "::");
  return zone === null ? short : `${short}%${zone}`;
}

/** Reads `address/prefix`. Null when it is none, has a zone, or has bits set behind the prefix. */
export function parseAddressBlock(text: string): AddressBlock | null {
  const [, addressText = "", prefixText] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const address = parseIpAddress(addressText);
  const prefixBits = Number(prefixText);
  if (address === null || !(prefixBits <= widthOf(address.family))) return null;
  const behind = BigInt(widthOf(address.family) - prefixBits);
  if ((address.bits >> behind) << behind !== address.bits) return null;
  return { family: address.family, first: address.bits, prefixBits };
}

/** An IPv4 address is never inside an IPv6 block, nor the reverse: mapped forms are addresses of their own. */
export function isInBlock({ family, bits }: IpAddress, block: AddressBlock): boolean {
  const behind = BigInt(widthOf(block.family) - block.prefixBits);
  return family === block.family && bits >> behind === block.first >> behind;
}

/** ISATAP interface identifiers end in an IPv4 address under any prefix. @source RFC 5214 §6.1 */
const isIsatap = ({ family, bits }: IpAddress): boolean =>
  family === 6 && ((bits >> 32n) & 0xfdff_ffffn) === 0x0000_5efen;

/**
 * Tells whether an address is one of the public internet, and if not, what it is. IPv6 forms that carry an IPv4 address
 * are special whatever they carry: where they lead is decided by a translator that we cannot see. IPv6 outside the
 * space given out as global unicast is reserved, so a block that IANA adds later is refused too.
 */
export function classifyAddress(address: IpAddress): AddressClass {
  const found = SPECIAL_BLOCKS.find(({ block }) => isInBlock(address, block));
  if (found !== undefined) return { kind: "special", purpose: found.purpose, block: found.text };
  if (address.zone !== null) return { kind: "special", purpose: "zoned", block: `zone ${address.zone}` };
  if (isIsatap(address)) return { kind: "special", purpose: "isatap", block: "interface identifier ::5efe:0:0" };
  const isGiven = address.family === 4 || isInBlock(address, GLOBAL_UNICAST_BLOCK);
  return isGiven ? { kind: "public" } : { kind: "special", purpose: "reserved", block: `outside ${GLOBAL_UNICAST}` };
}
