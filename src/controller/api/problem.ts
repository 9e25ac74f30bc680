import type { Problem } from "../../core/problem.ts";

/** Codes of API problems and their status; clients switch on the code. */
const PROBLEM_STATUS = {
  "bad-request": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
  "in-flight": 409,
  generation: 409,
  "no-gateway": 409,
  "target-unreachable": 409,
  "probes-unfit": 422,
  "too-large": 413,
  "invalid-document": 422,
  "key-reused": 422,
  "no-effect": 409,
  superseded: 409,
  "unknown-driver": 422,
  "internal-error": 500,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

interface ApiProblem {
  readonly type: string;
  readonly title: ProblemCode;
  readonly status: number;
  readonly detail: string;
  /** Problems of a document, when the document was at fault. */
  readonly problems?: readonly Problem[];
}

/** @source RFC 9457, "Problem Details for HTTP APIs" */
function apiProblem(code: ProblemCode, detail: string, problems?: readonly Problem[]): ApiProblem {
  const base = { type: `urn:sluice:problem:${code}`, title: code, status: PROBLEM_STATUS[code], detail };
  return problems === undefined ? base : { ...base, problems };
}

export function problemResponse(code: ProblemCode, detail: string, problems?: readonly Problem[]): Response {
  const problem = apiProblem(code, detail, problems);
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
