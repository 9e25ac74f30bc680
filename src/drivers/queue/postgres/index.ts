import pg from "pg";
import { DriverError } from "../../../ports/driver-error.ts";
import { readSecretFile } from "../../secret-file.ts";
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

/** The address with the password in it; a secret that is a whole address is that address. */
function addressOf(url: string, secret: string | null): string {
  const isAddress = (text: string) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);
  if (secret !== null && isAddress(secret)) return secret;
  if (!isAddress(url)) throw new DriverError("rejected", "never", `${NAME}: url is no postgres:// address; correct it`);
  const address = new URL(url);
  if (secret !== null) address.password = secret;
  return address.href;
}

export const driver = {
  product: "postgres",
  async open({ url, secretFile }, clock) {
    const connectionString = addressOf(url, await readSecretFile(NAME, secretFile));
    const settings = { connectionString, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_WITHIN_MS };
    const pool = new pg.Pool(settings).on("error", () => {}); // The statement that meets it says so.
    return postgresQueue({ client: pool, clock, close: () => pool.end() });
  },
} satisfies QueueDriverFace;
