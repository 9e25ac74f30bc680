import type { Problem } from "../core/problem.ts";
import type { Path } from "./source.ts";

/** A check's way to tell what is wrong at a place of a document. */
export type Report = (path: Path, code: string, message: string, fix?: string) => Problem;
