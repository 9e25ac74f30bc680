import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import type { StoredRow } from "../../drivers/store/pglite/index.ts";
import { InputError } from "../../probe/input-error.ts";
import { TOKEN_FILES } from "../token-file.ts";

/** A backup is NDJSON in gzip: a head, a line for each row, and a last line that says how many there were. */
const FORMAT = 1;

const headShape = z.object({
  sluiceBackup: z.int(),
  takenAt: z.number(),
  /** Credentials of the data directory by file name. */
  files: z.record(z.enum([TOKEN_FILES.admin, TOKEN_FILES.gateway]), z.string()),
});
const rowShape = z.object({ table: z.string(), row: z.record(z.string(), z.unknown()) });
const endShape = z.object({ rows: z.int(), steps: z.int() });

/** What a backup says of itself; `steps` are the migrations its database had seen. */
export interface BackupHead {
  readonly takenAt: number;
  readonly files: Readonly<Record<string, string>>;
  readonly rows: number;
  readonly steps: number;
}

/** Copies every row to whoever takes lines, resolves with the migrations of the database. */
export type CopyRows = (take: (lines: readonly string[]) => Promise<void>) => Promise<number>;

/**
 * Writes a backup of a data directory into a new file for the owner's eyes: credentials are in it.
 * @throws the system's error, EEXIST when something of that name is there
 */
export async function writeBackup(path: string, dataDir: string, takenAt: number, copy: CopyRows): Promise<void> {
  const file = await open(path, "wx", 0o600);
  const gzip = createGzip();
  const written = pipeline(gzip, file.createWriteStream());
  written.catch(() => {}); // Awaited below, and by whoever waits for room.
  const put = async (lines: readonly string[]): Promise<void> => {
    if (!gzip.write(`${lines.join("\n")}\n`)) await Promise.race([once(gzip, "drain"), written]);
  };
  try {
    let rows = 0;
    await put([JSON.stringify({ sluiceBackup: FORMAT, takenAt, files: await credentialsOf(dataDir) })]);
    const steps = await copy(async (lines) => {
      rows += lines.length;
      await put(lines);
    });
    await put([JSON.stringify({ rows, steps })]);
    gzip.end();
    await written;
  } finally {
    gzip.destroy();
    await file.close().catch(() => {}); // The stream has closed it.
  }
}

async function credentialsOf(dataDir: string): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const name of Object.values(TOKEN_FILES)) {
    const text = await readFile(join(dataDir, name), "utf8").catch(() => "");
    if (text !== "") files[name] = text;
  }
  return files;
}

function unusable(path: string, found: string, cause?: unknown): InputError {
  const advice = "name a whole file that `sluice backup` wrote";
  return new InputError("file", `${path} ${found}; ${advice}`, cause);
}

/**
 * Reads a backup to its end.
 * @param take gets each row; left out, the rows are only counted
 * @throws InputError when it is none, or not whole
 */
export async function readBackup(path: string, take: (row: StoredRow) => void = () => {}): Promise<BackupHead> {
  let head: z.infer<typeof headShape> | null = null;
  let [rows, end]: [number, z.infer<typeof endShape> | null] = [0, null];
  try {
    for await (const line of linesIn(path)) {
      if (head === null) head = headIn(path, line);
      else {
        const json: unknown = JSON.parse(line);
        const row = rowShape.safeParse(json);
        if (row.success) {
          rows++;
          take(row.data);
        } else end = endShape.parse(json);
      }
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw unusable(path, `cannot be read as a backup (${code ?? message.split("\n")[0]})`, error);
  }
  if (head === null) throw unusable(path, "is empty");
  if (end === null || end.rows !== rows) throw unusable(path, `is cut off after ${rows} rows`);
  const { takenAt, files } = head;
  return { takenAt, files, ...end };
}

/** The rows of a backup that was read to its end before. */
export async function* rowsIn(path: string): AsyncGenerator<StoredRow> {
  for await (const line of linesIn(path)) {
    const row = rowShape.safeParse(JSON.parse(line));
    if (row.success) yield row.data;
  }
}

async function* linesIn(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const unpacked = createGunzip();
  file.on("error", (error) => unpacked.destroy(error));
  file.pipe(unpacked);
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for await (const chunk of unpacked) {
      const lines = (rest + decoder.write(chunk as Buffer)).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    file.destroy();
  }
}

function headIn(path: string, line: string): z.infer<typeof headShape> {
  const parsed = headShape.safeParse(JSON.parse(line));
  if (!parsed.success) throw unusable(path, "is no backup of Sluice");
  const { sluiceBackup } = parsed.data;
  if (sluiceBackup > FORMAT)
    throw unusable(path, `was made by a newer version (format ${sluiceBackup}, this is ${FORMAT})`);
  return parsed.data;
}
