import type { IncomingMessage } from "node:http";

const BODY_BYTES_MAX = 65_536;
const K_MAX = 50;
const K_DEFAULT = 10;

export interface AnswerRequest {
  readonly question: string;
  /** Chunks to return, 1..50. */
  readonly k: number;
}

/** A refusal, to be answered as problem+json. */
export interface HttpProblem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

export function isProblem(value: object): value is HttpProblem {
  return "status" in value;
}

const TOO_LARGE: HttpProblem = {
  status: 413,
  code: "body-too-large",
  detail: `the body is larger than ${BODY_BYTES_MAX} bytes; send a shorter question`,
};

/** Reads the body up to the limit. Null when the client went away. */
export async function readBody(request: IncomingMessage): Promise<string | HttpProblem | null> {
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES_MAX) return TOO_LARGE;
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > BODY_BYTES_MAX) return TOO_LARGE;
      parts.push(part);
    }
  } catch {
    return null;
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Checks the fields of the probe contract; others are let through, so that a caller may send more. */
export function parseAnswerRequest(body: string): AnswerRequest | HttpProblem {
  const bad = (detail: string): HttpProblem => ({ status: 400, code: "bad-request", detail });
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return bad('the body is not JSON; expected {"question", "k", "seed", "probe"}');
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return bad("the body is not a JSON object");
  const { question, k = K_DEFAULT, seed = null, probe = false } = value as Readonly<Record<string, unknown>>;
  if (typeof question !== "string" || question.trim() === "") return bad('"question" must be a non-empty string');
  if (typeof k !== "number" || !Number.isInteger(k) || k < 1 || k > K_MAX) {
    return bad(`"k" must be an integer 1..${K_MAX}, found ${JSON.stringify(k)}`);
  }
  if (seed !== null && !Number.isInteger(seed))
    return bad(`"seed" must be an integer or null, found ${JSON.stringify(seed)}`);
  if (typeof probe !== "boolean") return bad(`"probe" must be true or false, found ${JSON.stringify(probe)}`);
  return { question, k };
}
