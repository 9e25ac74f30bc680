export { type Durability, openPostgresStore, placeOf, type PostgresStore, type PostgresStoreOptions } from "./open.ts";
export { jumpPostgresStore, restorePostgresStore } from "./restore.ts";

export const runtime = "node";
