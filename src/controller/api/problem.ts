import { PROBLEM_STATUS, type ProblemAnswer, type ProblemCode } from "../../contract/problem.ts";
import type { Problem } from "../../core/problem.ts";

/** What a refusal says. */
function apiProblem(code: ProblemCode, detail: string, problems?: readonly Problem[]): ProblemAnswer {
  const base = { type: `urn:sluice:problem:${code}`, title: code, status: PROBLEM_STATUS[code], detail };
  return problems === undefined ? base : { ...base, problems };
}

export function problemResponse(code: ProblemCode, detail: string, problems?: readonly Problem[]): Response {
  const problem = apiProblem(code, detail, problems);
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
