import {
  classifyAddress,
  formatIpAddress,
  type IpAddress,
  isInBlock,
  parseIpAddress,
} from "../../../core/address/ip-address.ts";
import type { WebhookAnswer } from "../../../ports/webhook-transport.ts";
import { OPENABLE, type WebhookPolicy } from "./config.ts";

/** A URL that may be posted to, as far as its text tells. */
export interface WebhookTarget {
  readonly kind: "target";
  readonly url: URL;
  /** Name, or address without brackets. */
  readonly host: string;
  /** The address, where the URL names one instead of a host. */
  readonly literal: IpAddress | null;
  readonly port: number;
}

export type Blocked = Extract<WebhookAnswer, { kind: "blocked" }>;

/**
 * Top-level names that the public DNS never answers for; only a private resolver would.
 * @source RFC 6761 (localhost, test, example, invalid), RFC 6762 with its appendix G (local, intranet, internal,
 * private, corp, home, lan), RFC 7686 (onion), RFC 8375 (home.arpa), RFC 9476 (alt), ICANN resolutions 2018.02.04.12
 * (corp, home, mail) and 2024.07.29.06 (internal); `svc` of Kubernetes and `localdomain` by custom
 */
const PRIVATE_TOP_NAMES = new Set(
  "localhost local localdomain internal intranet private corp home lan mail arpa svc onion alt test example invalid".split(
    " ",
  ),
);

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NAME_MAX_CHARS = 253;
const URL_MAX_CHARS = 2_048;

const blocked = (reason: string): Blocked => ({ kind: "blocked", reason });

function parseUrl(text: string): URL | null {
  try {
    return text.length <= URL_MAX_CHARS ? new URL(text) : null;
  } catch {
    return null;
  }
}

function problemOfName(host: string): string | null {
  if (host.endsWith(".")) return `host ${host} ends in a dot; write it without`;
  const labels = host.split(".");
  const top = labels.at(-1) ?? "";
  if (PRIVATE_TOP_NAMES.has(top)) return `host ${host} is a private name (.${top}); expected one of the public DNS`;
  if (labels.length < 2) return `host ${host} is a single label; expected a full name of the public DNS`;
  const isName = host.length <= NAME_MAX_CHARS && labels.every((label) => LABEL.test(label));
  return isName ? null : `host ${host} is no host name; expected letters, digits and hyphens between dots`;
}

/**
 * Reads a URL by WHATWG rules first and judges what came out of them, so decimal, octal, hexadecimal and full-width
 * spellings of an address are judged as the address that would be connected to.
 */
export function readTarget(text: string, policy: WebhookPolicy): WebhookTarget | Blocked {
  const url = parseUrl(text);
  if (url === null) return blocked(`url does not parse, or has more than ${URL_MAX_CHARS} characters`);
  if (!policy.schemes.includes(url.protocol)) {
    return blocked(`scheme ${url.protocol} is refused; expected ${policy.schemes.join(" or ")}`);
  }
  if (url.username !== "" || url.password !== "") {
    return blocked("credentials in the url are refused; use a signature or a header");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const literal = parseIpAddress(host);
  const problem = literal === null ? problemOfName(host) : problemOfAddress(literal, policy);
  if (problem !== null) return blocked(problem);
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (!policy.ports.includes(port)) return blocked(`port ${port} is refused; expected ${policy.ports.join(", ")}`);
  return { kind: "target", url, host, literal, port };
}

/** Why webhooks may not go to an address; null when they may. */
function problemOfAddress(address: IpAddress, policy: WebhookPolicy): string | null {
  const text = formatIpAddress(address);
  if (policy.refuse.some((block) => isInBlock(address, block))) return `address ${text} is refused by refuseAddresses`;
  const found = classifyAddress(address);
  if (found.kind === "public") return null;
  const canOpen = OPENABLE.includes(found.purpose);
  if (canOpen && policy.allow.some((block) => isInBlock(address, block))) return null;
  const advice = canOpen ? "; a private partner goes into allowAddresses" : "";
  return `address ${text} is ${found.purpose} (${found.block}); expected a public one${advice}`;
}

/**
 * Judges all addresses of a name. One that may not be reached refuses the name: an honest partner has no reason to mix,
 * and a name that answers both ways is how rebinding looks.
 */
export function checkAddresses(
  texts: readonly string[],
  policy: WebhookPolicy,
): { readonly kind: "checked"; readonly addresses: readonly IpAddress[] } | Blocked {
  const addresses: IpAddress[] = [];
  for (const text of texts) {
    const address = parseIpAddress(text);
    const problem =
      address === null ? `address ${text} of the resolver does not parse` : problemOfAddress(address, policy);
    if (problem !== null) return blocked(problem);
    if (address !== null) addresses.push(address);
  }
  return { kind: "checked", addresses };
}
