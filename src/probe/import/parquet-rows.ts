import { parquetReadObjects } from "hyparquet";
import type { TableRows } from "./csv-rows.ts";
import { IMPORT_CODES } from "./imported.ts";
import { madeSource } from "./row-source.ts";

/** Whether a file is parquet: its first and last four bytes. @source Apache Parquet format, "File format" */
export function isParquet(bytes: Uint8Array): boolean {
  const mark = (from: number) => String.fromCharCode(...bytes.subarray(from, from + 4));
  return bytes.length >= 12 && mark(0) === "PAR1" && mark(bytes.length - 4) === "PAR1";
}

/** Rows of a parquet file. One that cannot be read, because of its compression for instance, is one problem. */
export async function readParquet(bytes: Uint8Array): Promise<TableRows> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  try {
    const rows = await parquetReadObjects({ file });
    return { rows: rows.map((row, index) => madeSource(plainValue(row), index + 1)), problems: [] };
  } catch (error) {
    const message = `not readable as parquet: ${(error as Error).message}; snappy and no compression are read`;
    return { rows: [], problems: [{ code: IMPORT_CODES.unreadable, path: "", message }] };
  }
}

/** Values as JSON has them: 64-bit integers that a number cannot hold become texts. */
function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return BigInt(Number(value)) === value ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainValue(inner)]));
}
