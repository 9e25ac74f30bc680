import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { sha256Hex } from "../core/release/merkle.ts";
import { EMBED_DIMS, lexicalEmbedder } from "./lexical-embedder.ts";
import { indexDefect, type LabIndex } from "./lab-index.ts";
import { LabError } from "./lab-error.ts";

/**
 * Layout: magic (8 bytes), length of the JSON part (u32, little endian), SHA-256 of that length and everything after
 * the header as 64 hex characters, the JSON part, zeros up to a multiple of four, the rows as little-endian float32.
 */
const MAGIC = "SLUICEX1";
const HEADER_BYTES = MAGIC.length + 4 + 64;

function padding(jsonBytes: number): number {
  return (4 - ((HEADER_BYTES + jsonBytes) % 4)) % 4;
}

function checksum(header: Buffer, body: Buffer): string {
  return sha256Hex(Buffer.concat([header.subarray(MAGIC.length, MAGIC.length + 4), body]));
}

function encode(index: LabIndex): Buffer {
  const { rows, ...described } = index;
  const json = Buffer.from(JSON.stringify(described));
  const vectors = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
  const body = Buffer.concat([json, Buffer.alloc(padding(json.length)), vectors]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, "latin1");
  header.writeUInt32LE(json.length, MAGIC.length);
  header.write(checksum(header, body), MAGIC.length + 4, "latin1");
  return Buffer.concat([header, body]);
}

/**
 * Writes the index so that a reader sees the former file or the whole new one, never a part: a temporary file beside
 * it, flushed, then renamed. Safe to call from several processes; the last one wins.
 */
export async function writeIndexFile(path: string, index: LabIndex): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(encode(index));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function decode(content: Buffer): LabIndex | string {
  if (content.length < HEADER_BYTES) return `${content.length} bytes are less than a header`;
  if (content.toString("latin1", 0, MAGIC.length) !== MAGIC) return `it does not begin with ${MAGIC}`;
  const body = content.subarray(HEADER_BYTES);
  const stamped = content.toString("latin1", MAGIC.length + 4, HEADER_BYTES);
  if (checksum(content, body) !== stamped) return "its checksum does not match (cut short or altered)";
  const jsonBytes = content.readUInt32LE(MAGIC.length);
  const described = JSON.parse(body.toString("utf8", 0, jsonBytes)) as Omit<LabIndex, "rows">;
  if (described.spec.STORE.dims !== EMBED_DIMS)
    return `${described.spec.STORE.dims} dimensions instead of ${EMBED_DIMS}`;
  const vectors = body.subarray(jsonBytes + padding(jsonBytes));
  const rows = new Float32Array(vectors.length / 4);
  Buffer.from(rows.buffer).set(vectors); // Copied: a file buffer is not always aligned to four bytes.
  const index: LabIndex = { ...described, rows };
  return indexDefect(index, lexicalEmbedder(described.statistics)) ?? index;
}

/**
 * Reads an index back; null when there is no file.
 * @throws LabError `index` for a file that is not an index, was cut or altered, or does not hold what it is stamped
 *   with
 */
export async function readIndexFile(path: string): Promise<LabIndex | null> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new LabError("index", `cannot read the index file ${path}: ${(error as Error).message}`, error);
  }
  const index = decode(content);
  if (typeof index !== "string") return index;
  throw new LabError(
    "index",
    `${path} cannot be served: ${index}; expected an index file, delete it to have it rebuilt`,
  );
}
