import pg from "pg";
import { postgresAddress } from "../../queue/postgres-address.ts";
import { readSecretFile } from "../../secret-file.ts";
import type { CacheDriverFace } from "../cache-driver.ts";
import { postgresCache } from "./driver.ts";

export { type PostgresCache, type PostgresCacheConfig, postgresCache } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

const NAME = "cache/postgres";
const CONNECTIONS_MAX = 2;
const CONNECT_WITHIN_MS = 5_000;

export const driver = {
  product: "postgres",
  async open({ url, secretFile }, clock) {
    const connectionString = postgresAddress(NAME, url, await readSecretFile(NAME, secretFile));
    const settings = { connectionString, max: CONNECTIONS_MAX, connectionTimeoutMillis: CONNECT_WITHIN_MS };
    const pool = new pg.Pool(settings).on("error", () => {}); // The statement that meets it says so.
    return postgresCache({ client: pool, clock, close: () => pool.end() });
  },
} satisfies CacheDriverFace;
