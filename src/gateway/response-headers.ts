import { connectionNames, HEADERS, isAnswerLabel, isHopByHop } from "../core/routing/headers.ts";

const FORWARD = 0;
const DROP = 1;
const CONNECTION = 2;
const COLD = 3;
const CONTENT_LENGTH = 4;
const TRANSFER_ENCODING = 5;
const EVENT = 6;
const NO_NAMES: ReadonlySet<string> = new Set();
const REMEMBERED = 1_024;

const meanings = new Map<string, number>();

/** Headers of an answer for the client, and what the gateway learns from them. */
export class AnswerHeaders {
  /** Name, value, name, value, …; the gateway's own labels first. */
  readonly headers: string[];
  /** The service said so with `x-cold-start: 1`. */
  isCold = false;
  /** Length of the body in bytes; −1 when the answer does not say. */
  contentLength = -1;
  /** It says that its body is framed by a transfer coding. */
  isChunked = false;
  /** What the service says of its answer; null when it says nothing. */
  event: string | null = null;

  constructor(labels: readonly string[]) {
    this.headers = labels.slice();
  }
}

/**
 * Forwards what an arm's answer says end to end. Trailers are not forwarded, so `Trailer` ends here too; an arm's own
 * copies of the gateway's labels are removed.
 * @param raw    name, value, … as bytes, as received
 * @param status 204 carries no Content-Length (RFC 9110 §8.6)
 * @param labels the gateway's labels, name, value, …
 */
export function answerHeaders(raw: readonly Buffer[], status: number, labels: readonly string[]): AnswerHeaders {
  const answer = new AnswerHeaders(labels);
  const { headers } = answer;
  let listed = NO_NAMES;
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] as Buffer).toString("latin1");
    const meaning = meanings.get(name) ?? learn(name);
    if (meaning === DROP) continue;
    const value = (raw[at + 1] as Buffer).toString("latin1");
    if (meaning === CONNECTION) {
      if (value !== "keep-alive" && value !== "close") listed = new Set([...listed, ...connectionNames(value)]);
      continue;
    }
    if (meaning === TRANSFER_ENCODING) {
      answer.isChunked = true;
      continue;
    }
    if (meaning === EVENT) {
      answer.event = value;
      continue;
    }
    if (meaning === COLD) answer.isCold = value === "1";
    if (meaning === CONTENT_LENGTH) {
      answer.contentLength = Number(value);
      if (status === 204) continue;
    }
    headers.push(name, value);
  }
  if (listed.size > 0) removeListed(headers, listed, labels.length);
  return answer;
}

function learn(name: string): number {
  const lower = name.toLowerCase();
  let meaning = FORWARD;
  if (lower === "connection") meaning = CONNECTION;
  else if (lower === "transfer-encoding") meaning = TRANSFER_ENCODING;
  else if (lower === HEADERS.event) meaning = EVENT;
  else if (isHopByHop(lower, NO_NAMES) || isAnswerLabel(lower)) meaning = DROP;
  else if (lower === "x-cold-start") meaning = COLD;
  else if (lower === "content-length") meaning = CONTENT_LENGTH;
  if (meanings.size < REMEMBERED) meanings.set(name, meaning);
  return meaning;
}

/** Never removes framing: the body's length is the answer's own business, whatever `Connection` lists. */
function removeListed(headers: string[], listed: ReadonlySet<string>, from: number): void {
  let kept = from;
  for (let at = from; at < headers.length; at += 2) {
    const lower = (headers[at] as string).toLowerCase();
    if (listed.has(lower) && lower !== "content-length") continue;
    headers[kept++] = headers[at] as string;
    headers[kept++] = headers[at + 1] as string;
  }
  headers.length = kept;
}

/** What the service says of its answer in the trailers, which are not forwarded. @param raw name, value, … */
export function eventInTrailers(raw: readonly (Buffer | string)[] | null): string | null {
  if (raw === null) return null;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (String(raw[at]).toLowerCase() === HEADERS.event) return String(raw[at + 1]);
  }
  return null;
}
