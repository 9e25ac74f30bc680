import pg from "pg";
import { readSecretFile } from "../../secret-file.ts";
import { postgresAddress } from "../postgres-address.ts";
import type { QueueDriverFace } from "../queue-driver.ts";
import { bossQueue } from "./driver.ts";

export type { PostgresClient } from "../../postgres.ts";
export { type BossQueueConfig, bossQueue } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

const NAME = "queue/pg-boss";
const CONNECTIONS_MAX = 2;
const CONNECT_WITHIN_MS = 5_000;

/** pg-boss's schema, where it is not its default, stands in the address: `postgres://host/db?schema=jobs`. */
function splitSchema(url: string): { readonly url: string; readonly schema?: string } {
  if (!URL.canParse(url)) return { url };
  const address = new URL(url);
  const schema = address.searchParams.get("schema");
  address.searchParams.delete("schema");
  return { url: address.href, ...(schema === null ? {} : { schema }) };
}

export const driver = {
  product: "pg-boss",
  async open({ url, secretFile }, clock) {
    const { url: address, ...of } = splitSchema(url);
    const connectionString = postgresAddress(NAME, address, await readSecretFile(NAME, secretFile));
    const settings = { connectionString, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_WITHIN_MS };
    const pool = new pg.Pool(settings).on("error", () => {}); // The statement that meets it says so.
    return bossQueue({ client: pool, clock, close: () => pool.end(), ...of });
  },
} satisfies QueueDriverFace;
