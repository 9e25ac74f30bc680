import type { AccessPlan } from "../core/stage/access-plan.ts";
import { planAccess, readAccess } from "../spec/access-schema.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/**
 * What `--header "name: value"` asks for, under the rules of a document: `${NAME}` in a value is a variable of the
 * environment, so that no secret stands in the list of processes. Null without headers.
 */
export function headersAccess(lines: readonly string[]): AccessPlan | null {
  if (lines.length === 0) return null;
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      if (colon > 0) return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
      throw new CliError(EXIT.badUsage, "a --header is not of the form 'name: value', e.g. 'x-api-key: ${RAG_KEY}'");
    }),
  );
  const read = readAccess({ headers });
  if ("access" in read) return planAccess(read.access);
  throw new CliError(
    EXIT.badUsage,
    read.problems.map((problem) => `--header, in single quotes: ${problem}`).join("\n"),
  );
}
