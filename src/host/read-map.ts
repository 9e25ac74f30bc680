import { InputError } from "../probe/input-error.ts";
import { readTargetMap, type TargetMap } from "../probe/map.ts";
import { describeProblem } from "../spec/excerpt.ts";
import { isProblems } from "../spec/read-rollout.ts";
import { readNamedFile } from "./named-file.ts";

/**
 * Reads a response mapping a person named.
 * @throws InputError `file`, with all its problems as one message
 */
export async function readMap(file: string): Promise<TargetMap> {
  const text = await readNamedFile(file, "the response mapping");
  const read = readTargetMap(text);
  if (!isProblems(read)) return read.targetMap;
  throw new InputError("file", read.map((problem) => describeProblem(problem, file, text)).join("\n"));
}
