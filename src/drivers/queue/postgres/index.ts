import pg from "pg";
import { readSecretFile } from "../../secret-file.ts";
import { postgresAddress } from "../postgres-address.ts";
import type { QueueDriverFace } from "../queue-driver.ts";
import { postgresQueue } from "./driver.ts";

export type { PostgresClient } from "../../postgres.ts";
export { type PostgresQueue, type PostgresQueueConfig, postgresQueue } from "./driver.ts";
export { type QueueTables, queueTables, type TakenMessage } from "./worker.ts";

/** Where this driver runs. */
export const runtime = "node";

const NAME = "queue/postgres";
const CONNECTIONS_MAX = 2;
const CONNECT_WITHIN_MS = 5_000;

export const driver = {
  product: "postgres",
  async open({ url, secretFile }, clock) {
    const connectionString = postgresAddress(NAME, url, await readSecretFile(NAME, secretFile));
    const settings = { connectionString, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_WITHIN_MS };
    const pool = new pg.Pool(settings).on("error", () => {}); // The statement that meets it says so.
    return postgresQueue({ client: pool, clock, close: () => pool.end() });
  },
} satisfies QueueDriverFace;
