import { INTERNAL_HEADERS, INTERNAL_PREFIX } from "./headers.ts";

/**
 * By which a proxy says where a request came from, or what it was before, beside the three that a data plane writes
 * itself: believed of a proxy only.
 */
export const FORWARDING_HEADERS: readonly string[] = [
  ["forwarded", "x-forwarded", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-scheme", "x-forwarded-server"],
  ["x-forwarded-ssl", "x-forwarded-by", "x-forwarded-path", "x-forwarded-uri", "x-original-forwarded-for"],
  ["x-original-host", "x-original-url", "x-original-uri", "x-rewrite-url", "x-real-ip", "x-client-ip"],
  ["x-cluster-client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip", "front-end-https"],
].flat();

/** A lower-case name in every spelling that a server further down could take for it, as a regular expression. */
export const spellingsOf = (name: string): string => name.replaceAll("-", "[^a-z0-9]");

/** Every internal header in any spelling, as a regular expression over lower-case names, for planes that match text. */
export const INTERNAL_PATTERN = `^(?:${[...INTERNAL_HEADERS].map(spellingsOf).join("|")}|${spellingsOf(INTERNAL_PREFIX)}.*)$`;
