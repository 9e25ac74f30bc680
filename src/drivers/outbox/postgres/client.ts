import { DriverError } from "../../../ports/driver-error.ts";
import { postgresQueries } from "../../postgres.ts";

export { plainTable, type PostgresClient } from "../../postgres.ts";

export const { queryRows, queryInside } = postgresQueries("outbox/postgres");

/** Refuses what would not be atomic: a pool, or a client on which nobody said `begin`. */
export function noTransaction(what: string): DriverError {
  return new DriverError(
    "rejected",
    "never",
    `outbox/postgres: ${what} found no open transaction; pass the client that said begin, not the pool`,
  );
}
