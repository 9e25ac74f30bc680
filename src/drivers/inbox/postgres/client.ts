import { postgresQueries } from "../../postgres.ts";

export type { PostgresClient } from "../../postgres.ts";

export const { queryRows } = postgresQueries("inbox/postgres");
