import { promises as dns } from "node:dns";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import {
  type AddressBlock,
  type AddressPurpose,
  classifyAddress,
  parseAddressBlock,
} from "../../../core/address/ip-address.ts";
import { DriverError } from "../../../ports/driver-error.ts";

/** Gives every address of a name, as text, in the order to try them. Rejects, or gives none, when there is none. */
export type NameResolver = (name: string) => Promise<readonly string[]>;

/** What webhooks may reach. Without options: `https:` on ports 443 and 8443 of public addresses. */
export interface WebhookTransportOptions {
  /** Also plain `http:`, for tests and labs. Default false. */
  readonly allowHttp?: boolean;
  /** Default 443 and 8443; with `allowHttp` also 80. */
  readonly ports?: readonly number[];
  /** Blocks (`address/prefix`) of private partners: private, loopback, carrier-nat, unique-local or benchmark space. */
  readonly allowAddresses?: readonly string[];
  /**
   * Blocks refused although public: your own addresses, the NAT64 prefix of your network. Wins over `allowAddresses`.
   */
  readonly refuseAddresses?: readonly string[];
  /** Certificate authorities (PEM) trusted besides the ones that Node.js brings. */
  readonly certificateAuthority?: string;
  /**
   * Default: the system's resolver, asked for the absolute name, so neither search domains nor the hosts file answer.
   */
  readonly resolve?: NameResolver;
}

/** The options, read once. */
export interface WebhookPolicy {
  readonly schemes: readonly string[];
  readonly ports: readonly number[];
  readonly allow: readonly AddressBlock[];
  readonly refuse: readonly AddressBlock[];
  readonly secureContext: SecureContext;
  readonly resolve: NameResolver;
}

/** What `allowAddresses` can open. Metadata services and forms that carry an IPv4 address stay shut in any case. */
export const OPENABLE: readonly AddressPurpose[] = ["loopback", "private", "carrier-nat", "unique-local", "benchmark"];

function readBlock(option: string, text: string): AddressBlock {
  const block = parseAddressBlock(text);
  if (block !== null) return block;
  const expected = "expected address/prefix with no bit behind the prefix, as in 10.1.0.0/16 or fd12::/48";
  throw new DriverError("unsupported", "never", `webhook/node: ${option} holds "${text}", ${expected}`);
}

function readOpening(text: string): AddressBlock {
  const block = readBlock("allowAddresses", text);
  const found = classifyAddress({ family: block.family, bits: block.first, zone: null });
  if (found.kind === "special" && OPENABLE.includes(found.purpose)) return block;
  const what = found.kind === "public" ? "public anyway" : `${found.purpose} (${found.block}), which cannot be opened`;
  const expected = `expected a block of ${OPENABLE.join(", ")} addresses`;
  throw new DriverError(
    "unsupported",
    "never",
    `webhook/node: allowAddresses holds ${text}: it begins ${what}; ${expected}`,
  );
}

function readPort(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new DriverError(
    "unsupported",
    "never",
    `webhook/node: ports holds ${port}, expected a whole number, 1 to 65535`,
  );
}

const resolveAbsolute: NameResolver = async (name) => {
  const found = await dns.lookup(`${name}.`, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

/** Reads the options. @throws DriverError `unsupported` on a block or port that makes no sense */
export function readPolicy(options: WebhookTransportOptions): WebhookPolicy {
  const allowHttp = options.allowHttp ?? false;
  const { certificateAuthority } = options;
  return {
    schemes: allowHttp ? ["https:", "http:"] : ["https:"],
    ports: (options.ports ?? (allowHttp ? [443, 8443, 80] : [443, 8443])).map(readPort),
    allow: (options.allowAddresses ?? []).map(readOpening),
    refuse: (options.refuseAddresses ?? []).map((text) => readBlock("refuseAddresses", text)),
    secureContext: createSecureContext(
      certificateAuthority === undefined ? {} : { ca: [...rootCertificates, certificateAuthority] },
    ),
    resolve: options.resolve ?? resolveAbsolute,
  };
}
