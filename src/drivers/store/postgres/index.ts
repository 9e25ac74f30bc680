export { type Durability, openPostgresStore, type PostgresStore, type PostgresStoreOptions } from "./open.ts";

export const runtime = "node";
