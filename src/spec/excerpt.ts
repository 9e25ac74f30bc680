import type { Problem } from "../core/problem.ts";
import { withoutMark } from "./document-text.ts";

const CONTEXT_WIDTH = 110;

/**
 * A problem as a person reads it: code and place, message, the line with a caret, and what to do.
 * @param file name shown before the position
 * @param text the document's text; without it only the first line and the fix are given
 */
export function describeProblem(problem: Problem, file: string, text: string): string {
  const { at } = problem;
  const place = at === undefined ? file : `${file}:${at.line}:${at.column}`;
  const rows = [`${problem.code} ${place}  ${problem.message}`];
  const line = at === undefined ? undefined : withoutMark(text).split(/\r?\n/)[at.line - 1];
  if (at !== undefined && line !== undefined) {
    const start = Math.max(0, Math.min(at.column - 20, line.length - CONTEXT_WIDTH));
    const number = String(at.line).padStart(5);
    rows.push(`${number} | ${line.slice(start, start + CONTEXT_WIDTH)}`);
    rows.push(`      | ${" ".repeat(at.column - 1 - start)}${"^".repeat(tokenLength(line, at.column - 1))}`);
  }
  if (problem.fix !== undefined) rows.push(`      fix: ${problem.fix}`);
  return rows.join("\n");
}

/** Length of the word at `index`, so that the caret underlines what is wrong and not only where it starts. */
function tokenLength(line: string, index: number): number {
  return Math.max(1, /^[^\s,:{}[\]]*/.exec(line.slice(index))?.[0].length ?? 1);
}
