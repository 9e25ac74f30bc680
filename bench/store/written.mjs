// Counts what this process writes to files below a folder. The embedded database writes with `fs.writeSync` alone, so
// that what is counted is what reaches the disk: its log, its tables and whatever else it keeps.
import fs from "node:fs";
import { join, relative } from "node:path";

const SEGMENT = /pg_wal.([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;
/** Segments that one higher word of a name counts. */
const SEGMENTS_A_WORD = 256;
const SEGMENT_BYTES = 16 * 2 ** 20;

/** Where the write-ahead log's file begins; null for any other file. */
function logStart(path) {
  const [, , high, low] = SEGMENT.exec(path) ?? [];
  if (high === undefined) return null;
  return (Number.parseInt(high, 16) * SEGMENTS_A_WORD + Number.parseInt(low, 16)) * SEGMENT_BYTES;
}

/**
 * Begins to count. The counts grow in place: `log` and `tables` are bytes written, pages that are written again
 * included; `logEnd` is how long the log has become.
 */
export function countWrites(folder) {
  const written = { log: 0, tables: 0, logEnd: 0 };
  const files = new Map();
  const { openSync, closeSync, writeSync } = fs;
  fs.openSync = (path, ...more) => {
    const handle = openSync(path, ...more);
    const below = relative(folder, String(path));
    if (!below.startsWith("..")) files.set(handle, { isLog: below.includes("pg_wal"), start: logStart(below) });
    return handle;
  };
  fs.closeSync = (handle) => {
    files.delete(handle);
    return closeSync(handle);
  };
  fs.writeSync = (handle, data, offset, length, position) => {
    const bytes = writeSync(handle, data, offset, length, position);
    const file = files.get(handle);
    if (file === undefined) return bytes;
    written[file.isLog ? "log" : "tables"] += bytes;
    const isWhole = bytes === SEGMENT_BYTES; // A segment of the template that a new database begins with.
    if (file.start !== null && !isWhole && typeof position === "number") written.logEnd = file.start + position + bytes;
    return bytes;
  };
  return written;
}

/** Bytes of all files below a folder. */
export function bytesBelow(folder) {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? bytesBelow(path) : fs.statSync(path).size;
  }
  return bytes;
}
