import { z } from "zod";
import type { IndexedChunk } from "../../core/release/index-hash.ts";
import { readNamedFile } from "../../host/named-file.ts";
import { InputError } from "../../probe/input-error.ts";

/** A line of a corpus to build an index from; its vector, where it brings one. */
export interface CorpusChunk extends IndexedChunk {
  readonly vector: readonly number[] | null;
}

/** Half of a character cannot be hashed, nor written to a database. */
const whole = z
  .string()
  .min(1)
  .refine((text) => !/\p{Surrogate}|\0/u.test(text), "holds half a character, or the character zero");

const line = z.object({
  id: whole,
  section: whole,
  text: whole,
  start: z.int().nonnegative().optional(),
  end: z.int().nonnegative().optional(),
  vector: z.array(z.number()).min(1).optional(),
});

const EXPECTED = '{"id", "section", "text", "start"?, "end"?, "vector"?}';

function refuse(path: string, number: number, found: string): never {
  throw new InputError("file", `${path} line ${number}: ${found}; expected ${EXPECTED}`);
}

function chunkOf(path: string, number: number, text: string): CorpusChunk {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(path, number, `not JSON (${(error as Error).message})`);
  }
  const read = line.safeParse(value);
  if (!read.success) return refuse(path, number, z.prettifyError(read.error));
  const { id, section, text: body, start = 0, end = Array.from(body).length + start, vector = null } = read.data;
  if (end < start) return refuse(path, number, `it ends at ${end}, before it starts at ${start}`);
  return { id, section, text: body, start, end, vector };
}

/**
 * Chunks of a corpus in JSON lines, in their order. A chunk without offsets is its whole section.
 * @throws InputError `file`, with the line: what cannot be read; an id that is there twice; vectors of several lengths,
 *   or of some chunks alone
 */
export async function readCorpusChunks(path: string): Promise<readonly CorpusChunk[]> {
  const lines = (await readNamedFile(path, "the corpus")).replace(/^\uFEFF/, "").split("\n");
  const seen = new Map<string, number>();
  const chunks: CorpusChunk[] = [];
  for (const [place, text] of lines.entries()) {
    if (text.trim() === "") continue;
    const [number, chunk] = [place + 1, chunkOf(path, place + 1, text)];
    const before = seen.get(chunk.id);
    if (before !== undefined) refuse(path, number, `the id "${chunk.id}" is that of line ${before} too`);
    seen.set(chunk.id, number);
    const [first = chunk] = chunks;
    if (first.vector?.length !== chunk.vector?.length) {
      const found = `its vector has ${chunk.vector?.length ?? "no"} dimensions, that of the first chunk`;
      refuse(path, number, `${found} has ${first.vector?.length ?? "none"}`);
    }
    chunks.push(chunk);
  }
  if (chunks.length === 0) throw new InputError("file", `${path} holds no chunk; expected lines of ${EXPECTED}`);
  return chunks;
}
