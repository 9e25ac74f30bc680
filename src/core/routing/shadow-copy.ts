import type { ShadowOrder } from "./shadow.ts";

/** What describes the content of a request and the answer it can take; nothing else of it is copied unasked. */
const KEPT: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "content-encoding",
  "content-language",
  "content-type",
  "if-modified-since",
  "if-none-match",
  "range",
  "user-agent",
]);
/** Names of query parameters that carry what opens doors: `api_key`, `access-token`, `sig`, `X-Amz-Signature`. */
const SECRET =
  /(?:^|[^a-z])(?:[a-z]*token|(?:api)?key|secret|pass(?:word|wd)?|auth|authorization|sig|signature|session|sid|jwt|code|credential)s?(?:$|[^a-z])/;

/** Whether requests like this one may be copied. @param path with its query */
export function isCopied({ methods, paths }: ShadowOrder, method: string, path: string): boolean {
  return methods.includes(method) && (paths.length === 0 || paths.some((start) => isUnder(path, start)));
}

/** `/answer` is under `/answer`, as `/answer/more` and `/answer?q=1` are, and `/answers` is not. */
function isUnder(path: string, start: string): boolean {
  if (!path.startsWith(start)) return false;
  const next = path.charAt(start.length);
  return next === "" || next === "/" || next === "?" || start.endsWith("/");
}

/**
 * The headers of a copy: those that describe its content, and those that the document names. Cookies, credentials,
 * addresses, keys and whatever else a client may send stay behind.
 * @param headers name, value, …
 */
export function copiedHeaders(headers: readonly string[], { headers: named }: ShadowOrder): string[] {
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase();
    if (KEPT.has(name) || named.includes(name)) kept.push(name, headers[at + 1] as string);
  }
  return kept;
}

/** A path without the query parameters whose names say that they are secret. */
export function withoutSecrets(path: string): string {
  const mark = path.indexOf("?");
  if (mark < 0) return path;
  const kept = path
    .slice(mark + 1)
    .split("&")
    .filter((part) => !SECRET.test(nameOf(part)));
  return kept.length === 0 ? path.slice(0, mark) : `${path.slice(0, mark)}?${kept.join("&")}`;
}

/** `accessToken` as `access token`: a capital begins a word. */
function nameOf(part: string): string {
  const [name = ""] = part.split("=", 1);
  return decoded(name)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Chooses which of the requests that may be copied are: over any stretch as many as the share says, give or take two,
 * at places that nobody can foresee, so that clients which come in turns are copied alike.
 */
export class ShadowSampler {
  readonly #shareBp: number;
  readonly #random: () => number;
  #owedBp = 0;
  /** Where in the stretch that owes one request it is taken. */
  #dueBp: number;

  /** @param random uniform in [0, 1) */
  constructor(shareBp: number, random: () => number) {
    this.#shareBp = shareBp;
    this.#random = random;
    this.#dueBp = 10_000 * random();
  }

  choose(): boolean {
    if (this.#shareBp >= 10_000) return true;
    this.#owedBp += this.#shareBp;
    if (this.#owedBp < this.#dueBp) return false;
    this.#owedBp -= 10_000;
    this.#dueBp = 10_000 * this.#random();
    return true;
  }
}
