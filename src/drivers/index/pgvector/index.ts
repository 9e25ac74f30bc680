import type { IndexDriverFace } from "../index-driver.ts";
import { connect } from "./client.ts";
import { pgvectorAliases } from "./driver.ts";

export { type BuiltReader, type BuiltRow, buildTable } from "./build.ts";
export { connect, type PostgresClient } from "./client.ts";
export { ALIAS_TABLE, type PgvectorConfig, pgvectorAliases } from "./driver.ts";

export const runtime = "node";

/** What hosts know of it. */
export const driver = {
  product: "pgvector",
  open: ({ url, secretFile }) => pgvectorAliases({ client: connect(url, secretFile) }),
} satisfies IndexDriverFace;
