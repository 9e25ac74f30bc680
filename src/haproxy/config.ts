import { assert } from "../core/assert.ts";
import type { ArmTarget } from "../core/routing/document.ts";
import { FORWARDING_HEADERS, INTERNAL_PATTERN, spellingsOf } from "../core/routing/header-spellings.ts";
import { HEADERS } from "../core/routing/headers.ts";
import { LOG_FORMAT } from "./log-line.ts";
import { type Rendering, SLOTS } from "./rendering.ts";
import { ROUTE_KEY } from "./route-entry.ts";

/** What an operator decides about the proxy, and where its agent listens. */
export interface ProxySettings {
  readonly listen: { readonly host: string; readonly port: number };
  /** Peers that may say who a request is from; empty: nobody may, and whoever asks may name the unit. */
  readonly trustedProxies: readonly string[];
  readonly runtimeSocket: string;
  readonly mapFile: string;
  readonly allowFile: string;
  /** Sockets of the agent, in a folder that only its owner may enter. */
  readonly leaseSocket: string;
  readonly logSocket: string;
  /** What the agent is asked for: of another rendering's lease it says no. */
  readonly leasePath: string;
  /** Threads of the proxy; null for one a core. */
  readonly threads: number | null;
}

/** Longest line of the log: a service's word of its answer and what stands before it. */
const LOG_BYTES = 8_192;
/** Well-formed UTF-8. @source RFC 3629 §4 */
const UTF8 =
  "^(?:[\\x00-\\x7f]|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}" +
  "|\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2})*$";

/** A word of ours, or an operator's, as HAProxy reads it: nothing in it ends a line or a quote. */
function quoted(text: string): string {
  assert(/^[^'\n\r\0]*$/.test(text), `${JSON.stringify(text)} can stand in a configuration`);
  return `'${text}'`;
}

/** The whole configuration of one rendering. Equal renderings have equal text. */
export function configText(rendering: Rendering, settings: ProxySettings): string {
  const { listen, runtimeSocket, threads, leaseSocket, logSocket, leasePath } = settings;
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  const lines = [
    "# Written by `sluice plane haproxy`, which overwrites it.",
    "global",
    ...(threads === null ? [] : [`  nbthread ${threads}`]),
    `  stats socket ${quoted(`unix@${runtimeSocket}`)} mode 600 level admin expose-fd listeners`,
    `  hard-stop-after ${Math.max(1, rendering.drainMs)}ms`,
    "defaults",
    "  mode http",
    "  # Without it the pieces of a streamed answer wait for one another, up to 200 ms.",
    "  option http-no-delay",
    "  option redispatch",
    "  retries 1",
    "  timeout connect 3s",
    "  timeout server 120s",
    "  timeout queue 30s",
    "  timeout client 120s",
    "  timeout http-request 10s",
    "  timeout http-keep-alive 65s",
    `  timeout check ${rendering.checkMs}ms`,
    "ring sluice_log",
    "  format raw",
    `  maxlen ${LOG_BYTES}`,
    "  size 4194304",
    `  server agent ${quoted(`unix@${logSocket}`)} log-proto octet-count`,
    "# Up while this data plane may give users to a provisional arm; nobody is sent there.",
    "backend sluice_lease",
    `  option httpchk GET ${leasePath}`,
    "  http-check expect status 200",
    `  server agent ${quoted(`unix@${leaseSocket}`)} check inter ${rendering.checkMs}ms fall 1 rise 1`,
    "frontend sluice",
    `  bind ${host}:${listen.port}`,
    `  log ring@sluice_log len ${LOG_BYTES} format raw local0`,
    `  log-format ${quoted(LOG_FORMAT)}`,
    ...identity(rendering, settings),
    ...decision(rendering, settings),
    ...labels(),
    "  use_backend sluice_%[var(txn.slot)]",
    "  default_backend sluice_a",
    ...SLOTS.flatMap((slot) => backend(slot, rendering.slots[slot])),
  ];
  return `${lines.join("\n")}\n`;
}

/** Who asks, and what of a client's words is believed; the same as the gateway believes. */
function identity({ unitHeaders }: Rendering, { trustedProxies }: ProxySettings): readonly string[] {
  const forwarding = [HEADERS.forwardedFor, HEADERS.forwardedHost, HEADERS.forwardedProto, HEADERS.edgePop];
  const isListed = trustedProxies.length > 0;
  const untrusted = isListed ? " if !is_trusted" : "";
  const imitations = unitHeaders.map((name) => `(?!${name}$)${spellingsOf(name)}`);
  return [
    ...(isListed ? [`  acl is_trusted src ${trustedProxies.join(" ")}`] : []),
    ...[...forwarding, ...FORWARDING_HEADERS].map((name) => `  http-request del-header ${name}${untrusted}`),
    ...(isListed ? unitHeaders.map((name) => `  http-request del-header ${name}${untrusted}`) : []),
    ...unitHeaders.map((name) => `  http-request deny deny_status 400 if { req.fhdr_cnt(${name}) gt 1 }`),
    ...unitHeaders.map((name, at) => {
      const none = unitHeaders.slice(0, at).map((earlier) => `!{ req.fhdr_cnt(${earlier}) gt 0 } `);
      return `  http-request set-var(txn.unit) req.fhdr(${name},1) if ${none.join("")}{ req.fhdr_cnt(${name}) gt 0 }`;
    }),
    `  acl is_beyond_ascii var(txn.unit) -m reg ${quoted("[\\x80-\\xff]")}`,
    `  acl is_utf8 var(txn.unit) -m reg ${quoted(UTF8)}`,
    "  http-request unset-var(txn.unit) if is_beyond_ascii !is_utf8",
    "  acl has_unit var(txn.unit) -m len gt 0",
    ...(isListed
      ? [`  http-request set-var(txn.warm) str(1) if is_trusted { req.fhdr(${HEADERS.warm}) -m str true }`]
      : []),
    `  http-request set-var(txn.wish) req.fhdr(${HEADERS.arm},1) if { req.fhdr_cnt(${HEADERS.arm}) eq 1 }`,
    `  http-request del-header ${quoted(INTERNAL_PATTERN)} -m reg`,
    ...imitations.map((pattern) => `  http-request del-header ${quoted(`^${pattern}$`)} -m reg`),
    ...(isListed ? [`  http-request set-header ${HEADERS.warm} true if { var(txn.warm) -m str 1 }`] : []),
    `  http-request add-header ${HEADERS.forwardedFor} %[src]`,
    `  http-request set-header ${HEADERS.forwardedProto} http if !{ req.fhdr_cnt(${HEADERS.forwardedProto}) gt 0 }`,
    `  http-request set-header ${HEADERS.forwardedHost} %[req.hdr(host)] if !{ req.fhdr_cnt(${HEADERS.forwardedHost}) gt 0 }`,
  ];
}

/** The precedence of `route` in src/core/routing, as far as a document may ask for it here. */
function decision({ seed, allow }: Rendering, { mapFile, allowFile }: ProxySettings): readonly string[] {
  const field = (name: string, at: number, more = "") =>
    `  http-request set-var(txn.${name}) var(txn.route),field(${at},|)${more}`;
  const set = (name: string, value: string, when = "") =>
    `  http-request set-var(txn.${name}) ${value}${when === "" ? "" : ` if ${when}`}`;
  return [
    set("route", `str(${ROUTE_KEY}),map_str(${mapFile})`),
    ...["doc", "stable_slot", "candidate_slot"].map((name, at) => field(name, at + 1)),
    field("threshold", 4, ",add(0)"),
    field("serves", 5),
    field("lease", 6),
    field("split", 7),
    // Asked once, so that one request has one answer.
    set("leases", "nbsrv(sluice_lease)"),
    set("hash", `var(txn.unit),xxh32(${seed})`, "has_unit"),
    set("over", "var(txn.hash),sub(txn.threshold)", "has_unit"),
    "  acl is_shared var(txn.serves) -m str both",
    "  acl may_share var(txn.lease) -m str free",
    "  acl may_share var(txn.leases) -m int gt 0",
    "  acl is_below var(txn.over) -m int lt 0",
    set("arm", "str(stable)"),
    set("reason", "str(only)"),
    set("arm", "str(candidate)", "{ var(txn.serves) -m str candidate }"),
    set("split", "str(0)", "{ var(txn.serves) -m str stable }"),
    set("reason", "str(lease-expired)", "is_shared !may_share"),
    set("split", "str(0)", "is_shared !may_share"),
    set("reason", "str(no-unit)", "is_shared may_share !has_unit"),
    set("reason", "str(sticky)", "is_shared may_share has_unit"),
    set("arm", "str(candidate)", "is_shared may_share has_unit is_below"),
    ...(allow.length === 0 ? [] : allowed(allowFile)),
    set("slot", "var(txn.stable_slot)"),
    set("slot", "var(txn.candidate_slot)", "{ var(txn.arm) -m str candidate }"),
  ];
}

function allowed(allowFile: string): readonly string[] {
  const isChosen = "{ var(txn.reason) -m str allow-list }";
  return [
    `  acl is_allowed var(txn.unit) -m str -f ${quoted(allowFile)}`,
    "  acl wishes_candidate var(txn.wish) -m str candidate green canary",
    "  acl wishes_stable var(txn.wish) -m str stable blue control",
    "  http-request set-var(txn.reason) str(allow-list) if is_shared may_share has_unit is_allowed",
    `  http-request set-var(txn.arm) str(stable) if ${isChosen}`,
    `  http-request set-var(txn.arm) str(candidate) if ${isChosen} wishes_candidate`,
    `  http-request set-var(txn.arm) str(candidate) if ${isChosen} !wishes_candidate !wishes_stable { var(txn.threshold) -m int gt 0 }`,
  ];
}

/** What the client is told, and what only a service knows of its answer. */
function labels(): readonly string[] {
  return [
    `  http-response set-var(txn.event) res.fhdr(${HEADERS.event},1)`,
    "  http-response set-var(txn.cold) str(1) if { res.fhdr(x-cold-start) -m str 1 }",
    "  http-response del-header '^x-sluice-' -m reg",
    `  http-after-response set-header ${HEADERS.answeredBy} %[var(txn.arm)] if { var(txn.arm) -m found }`,
    `  http-after-response set-header ${HEADERS.document} %[var(txn.doc)] if { var(txn.doc) -m found }`,
    `  http-after-response set-header ${HEADERS.split} %[var(txn.split)] if { var(txn.split) -m found }`,
  ];
}

function backend(slot: string, target: ArmTarget | null): readonly string[] {
  if (target === null) return [];
  assert(/^[\x21-\x7e]*$/.test(target.cachePrefix), "a cache prefix is visible ASCII");
  return [
    `backend sluice_${slot}`,
    `  http-request set-header ${HEADERS.arm} %[var(txn.arm)]`,
    `  http-request set-header ${HEADERS.cacheNamespace} ${quoted(target.cachePrefix.replaceAll("%", "%%"))}`,
    ...target.endpoints.map((endpoint, at) => {
      const { protocol, hostname, port } = new URL(endpoint);
      const isTls = protocol === "https:";
      const tls = isTls ? ` ssl verify required ca-file @system-ca sni str(${hostname})` : "";
      return `  server s${at} ${hostname}:${port === "" ? (isTls ? 443 : 80) : port}${tls}`;
    }),
  ];
}
