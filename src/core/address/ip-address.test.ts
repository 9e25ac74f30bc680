import { BlockList, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  classifyAddress,
  formatIpAddress,
  type IpAddress,
  isInBlock,
  parseAddressBlock,
  parseIpAddress,
} from "./ip-address.ts";

const SEED = 20_260_101;
const RUNS = 2_000;

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Blocks that must be refused, written down here a second time, in another order, so that a lost row shows. */
const REFUSED = words(`
  0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15
  198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32 ::/128 ::1/128 ::/96
  ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32
  2001:2::/48 2001:10::/28 2001:20::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16
  fc00::/7 fe80::/10 fec0::/10 ff00::/8 ::/3 4000::/2 8000::/1
`);

const address = (text: string): IpAddress => {
  const parsed = parseIpAddress(text);
  if (parsed === null) throw new Error(`${text} does not parse`);
  return parsed;
};
const block = (text: string) => {
  const parsed = parseAddressBlock(text);
  if (parsed === null) throw new Error(`${text} does not parse`);
  return parsed;
};
const classOf = (text: string) => {
  const found = classifyAddress(address(text));
  return found.kind === "public" ? "public" : found.purpose;
};

const bits128 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
/** Any IPv6 address; half of them with groups of zero, which the short form is about. */
const anyIpv6 = fc.oneof(
  bits128,
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 0x0a0b, 0xffff), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n)),
);
const anyAddress: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((bits) => ({ family: 4 as const, bits, zone: null })),
  anyIpv6.map((bits) => ({ family: 6 as const, bits, zone: null })),
);
const inside = (text: string): fc.Arbitrary<IpAddress> => {
  const { family, first, prefixBits } = block(text);
  const behind = BigInt((family === 4 ? 32 : 128) - prefixBits);
  return fc.bigInt({ min: 0n, max: (1n << behind) - 1n }).map((rest) => ({ family, bits: first | rest, zone: null }));
};

describe("classifyAddress", () => {
  it.each(REFUSED)("S5: refuses every address of %s, edges included", (text) => {
    fc.assert(
      fc.property(inside(text), (found) => {
        expect(classifyAddress(found).kind).toBe("special");
      }),
      { seed: SEED, numRuns: 300 },
    );
    const { family, first, prefixBits } = block(text);
    const last = first | ((1n << BigInt((family === 4 ? 32 : 128) - prefixBits)) - 1n);
    expect(classifyAddress({ family, bits: first, zone: null }).kind).toBe("special");
    expect(classifyAddress({ family, bits: last, zone: null }).kind).toBe("special");
  });

  it.each([
    ["0.0.0.0", "unspecified"],
    ["0.0.0.1", "this-network"],
    ["10.255.255.255", "private"],
    ["100.64.0.0", "carrier-nat"],
    ["100.100.100.200", "metadata"],
    ["127.0.0.1", "loopback"],
    ["168.63.129.16", "metadata"],
    ["169.254.0.1", "link-local"],
    ["169.254.169.254", "metadata"],
    ["172.31.255.255", "private"],
    ["192.0.0.10", "protocol"],
    ["192.0.2.1", "documentation"],
    ["192.88.99.1", "6to4"],
    ["198.19.255.255", "benchmark"],
    ["224.0.0.1", "multicast"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.255", "broadcast"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["::808:808", "ipv4-compatible"],
    ["::ffff:8.8.8.8", "ipv4-mapped"],
    ["::ffff:0:8.8.8.8", "ipv4-translated"],
    ["64:ff9b::8.8.8.8", "nat64"],
    ["64:ff9b:1::1", "nat64"],
    ["100::1", "discard"],
    ["2001::1", "teredo"],
    ["2001:10::1", "orchid"],
    ["2001:20::1", "orchid"],
    ["2001:db8::1", "documentation"],
    ["2002:808:808::1", "6to4"],
    ["2a00:1450::5efe:a00:1", "isatap"],
    ["2a00:1450::200:5efe:a00:1", "isatap"],
    ["3fff::1", "documentation"],
    ["4000::1", "reserved"],
    ["5f00::1", "segment-routing"],
    ["fd00::1", "unique-local"],
    ["fd00:ec2::254", "metadata"],
    ["fd20:ce::254", "metadata"],
    ["fe80::1%eth0", "link-local"],
    ["2606:4700::1111%eth0", "zoned"],
    ["fec0::1", "site-local"],
    ["ff02::1", "multicast"],
  ])("says what %s is: %s", (text, purpose) => {
    expect(classOf(text)).toBe(purpose);
  });

  it.each(
    words(`
      1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
      169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.167.255.255
      192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255 2001:200::
      2001:4860:4860::8888 2003::1 2400:: 2606:4700::1111 2a00:1450::1
    `),
  )("leaves %s, beside a refused block, public", (text) => {
    expect(classOf(text)).toBe("public");
  });

  it("refuses an IPv6 form whatever IPv4 address it carries: 6 forms, 2,000 addresses each", () => {
    const forms: readonly ((ipv4: bigint) => bigint)[] = [
      (ipv4) => ipv4,
      (ipv4) => (0xffffn << 32n) | ipv4,
      (ipv4) => (0xffffn << 48n) | ipv4,
      (ipv4) => (0x0064_ff9bn << 96n) | ipv4,
      (ipv4) => (0x2002n << 112n) | (ipv4 << 80n),
      (ipv4) => (0x2001_0000n << 96n) | (ipv4 ^ 0xffff_ffffn),
    ];
    const ipv4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n });
    for (const form of forms) {
      const refused = fc.property(ipv4, (bits) => {
        expect(classifyAddress({ family: 6, bits: form(bits), zone: null }).kind).toBe("special");
      });
      fc.assert(refused, { seed: SEED, numRuns: RUNS });
    }
  });
});

describe("parseIpAddress and formatIpAddress", () => {
  it("are each other's reverse", () => {
    const isSame = fc.property(anyAddress, (found) => {
      expect(parseIpAddress(formatIpAddress(found))).toEqual(found);
    });
    fc.assert(isSame, { seed: SEED, numRuns: RUNS });
  });

  it("write an address as WHATWG URL does, and read whatever spelling it reads", () => {
    const isAsUrl = fc.property(anyAddress, (found) => {
      const text = formatIpAddress(found);
      const host = found.family === 4 ? text : `[${text}]`;
      expect(new URL(`https://${host}/`).hostname).toBe(host);
    });
    fc.assert(isAsUrl, { seed: SEED, numRuns: RUNS });
    const long = (bits: bigint) => bits.toString(16).padStart(32, "0").match(/.{4}/g)?.join(":").toUpperCase() ?? "";
    const readsLong = fc.property(anyIpv6, (bits) => {
      expect(parseIpAddress(long(bits))).toEqual({ family: 6, bits, zone: null });
    });
    fc.assert(readsLong, { seed: SEED, numRuns: RUNS });
  });

  it("agree with Node.js on what an address is, over 20,000 near misses", () => {
    const piece = fc.constantFrom("0", "1", "00", "255", "256", "f", "ffff", "10000", ":", "::", ".", "1.2.3.4", "g");
    const nearMiss = fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join(""));
    const agrees = fc.property(fc.oneof(nearMiss, fc.ipV6(), fc.ipV4Extended(), fc.ipV4()), (text) => {
      expect(parseIpAddress(text)?.family ?? 0).toBe(isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0);
    });
    fc.assert(agrees, { seed: SEED, numRuns: 20_000 });
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.",
    "01.2.3.4",
    "0x7f.0.0.1",
    "2130706433",
    "1.2.3.4%eth0",
    "[::1]",
    "::1%",
    ":::",
    "1::2::3",
  ])("read %j as no address", (text) => {
    expect(parseIpAddress(text)).toBeNull();
  });

  it("keep the zone", () => {
    expect(formatIpAddress(address("FE80:0::1%eth0"))).toBe("fe80::1%eth0");
  });
});

describe("parseAddressBlock and isInBlock", () => {
  it("agree with the block list of Node.js", () => {
    const blocks = REFUSED.map(block);
    const isSame = fc.property(anyAddress, fc.constantFrom(...REFUSED.keys()), (found, at) => {
      const { family, first, prefixBits } = blocks[at] ?? block("::/128");
      fc.pre(family === found.family);
      const list = new BlockList();
      const name = `ipv${family}` as const;
      list.addSubnet(formatIpAddress({ family, bits: first, zone: null }), prefixBits, name);
      expect(isInBlock(found, { family, first, prefixBits })).toBe(list.check(formatIpAddress(found), name));
    });
    fc.assert(isSame, { seed: SEED, numRuns: RUNS });
  });

  it("hold the families apart: ::ffff:127.0.0.1 is not in 127.0.0.0/8, nor 0.0.0.1 in ::/96", () => {
    expect(isInBlock(address("::ffff:127.0.0.1"), block("127.0.0.0/8"))).toBe(false);
    expect(isInBlock(address("0.0.0.1"), block("::/96"))).toBe(false);
    expect(isInBlock(address("127.0.0.1"), block("127.0.0.0/8"))).toBe(true);
  });

  it.each([
    "10.0.0.0",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/08",
    "fe80::%eth0/10",
    "10.0.0.0/-1",
    "/8",
    "a/8",
  ])("read %j as no block", (text) => {
    expect(parseAddressBlock(text)).toBeNull();
  });
});
