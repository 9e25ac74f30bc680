import { readTargetMap, type TargetMap } from "../probe/map.ts";
import { describeProblem } from "../spec/excerpt.ts";
import { isProblems } from "../spec/read-rollout.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { readNamedFile } from "./read-document.ts";

/** Reads a response mapping a person named; all its problems become one message and exit code 2. */
export async function readMap(file: string): Promise<TargetMap> {
  const text = await readNamedFile(file, "the response mapping");
  const read = readTargetMap(text);
  if (!isProblems(read)) return read.targetMap;
  throw new CliError(EXIT.badUsage, read.map((problem) => describeProblem(problem, file, text)).join("\n"));
}
