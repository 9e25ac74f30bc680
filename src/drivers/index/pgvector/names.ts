import { DriverError } from "../../../ports/driver-error.ts";
import { NAME } from "./client.ts";

const PARTS_MAX = 2;
/** Longer identifiers are cut by the server, and then two names are one. @source PostgreSQL documentation, 4.1.1 */
const PART_BYTES_MAX = 63;

/**
 * The name of a table, quoted: `docs-v3-green`, or `rag.docs_v3` with its schema.
 * @throws DriverError `rejected` for what can be no name
 */
export function quotedTable(index: string): string {
  const parts = index.split(".");
  const isFit = (part: string) =>
    part !== "" && !part.includes("\0") && new TextEncoder().encode(part).length <= PART_BYTES_MAX;
  if (parts.length <= PARTS_MAX && parts.every(isFit)) {
    return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
  }
  const expected = `a table of at most ${PART_BYTES_MAX} bytes, with its schema before a dot where it needs one`;
  throw new DriverError("rejected", "never", `${NAME}: "${index}" can be no index; expected ${expected}`);
}
