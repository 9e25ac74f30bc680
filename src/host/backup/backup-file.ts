import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { createGunzip, createGzip } from "node:zlib";
import type { StoredRow } from "../../drivers/store/sql/rows.ts";
import { InputError } from "../../probe/input-error.ts";
import { SIGNING_KEY_FILE } from "../signing-key.ts";
import { TOKEN_FILES } from "../token-file.ts";

/** A backup is NDJSON in gzip: a head, a line for each row, and a last line that says how many there were. */
const FORMAT = 1;

/** Credentials of a data directory, by file name. */
export const CREDENTIALS: readonly string[] = [...Object.values(TOKEN_FILES), SIGNING_KEY_FILE];

type Fields = Readonly<Record<string, unknown>>;

interface FirstLine {
  readonly takenAt: number;
  readonly files: Readonly<Record<string, string>>;
}

interface LastLine {
  readonly rows: number;
  readonly steps: number;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isFields(value) && Object.values(value).every((text) => typeof text === "string");
}

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
  for (const name of CREDENTIALS) {
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
  let head: FirstLine | null = null;
  let [rows, end]: [number, LastLine | null] = [0, null];
  try {
    for await (const line of linesIn(path)) {
      if (head === null) head = headIn(path, line);
      else {
        const json: unknown = JSON.parse(line);
        const row = rowOf(json);
        if (row === null) end = endOf(json);
        else {
          rows++;
          take(row);
        }
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

/** Reads a backup to its end, and of which store it is. @throws InputError when it is none, or not whole */
export async function identifyBackup(path: string): Promise<{ readonly head: BackupHead; readonly store: string }> {
  let store = "";
  const head = await readBackup(path, ({ table, row }) => {
    if (table === "ownership") store = String(row["store"]);
  });
  return { head, store };
}

/** The rows of a backup that was read to its end before. */
export async function* rowsIn(path: string): AsyncGenerator<StoredRow> {
  for await (const line of linesIn(path)) {
    const row = rowOf(JSON.parse(line));
    if (row !== null) yield row;
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

function headIn(path: string, line: string): FirstLine {
  const json: unknown = JSON.parse(line);
  const { sluiceBackup, takenAt, files } = isFields(json) ? json : {};
  if (typeof sluiceBackup !== "number" || typeof takenAt !== "number" || !isTexts(files))
    throw unusable(path, "is no backup of Sluice");
  if (sluiceBackup > FORMAT)
    throw unusable(path, `was made by a newer version (format ${sluiceBackup}, this is ${FORMAT})`);
  return { takenAt, files };
}

function rowOf(json: unknown): StoredRow | null {
  const { table, row } = isFields(json) ? json : {};
  return typeof table === "string" && isFields(row) ? { table, row } : null;
}

function endOf(json: unknown): LastLine {
  const { rows, steps } = isFields(json) ? json : {};
  if (typeof rows === "number" && typeof steps === "number") return { rows, steps };
  throw new Error("a line is neither a row nor the end");
}
