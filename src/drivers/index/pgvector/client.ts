import pg from "pg";
import { type PostgresClient, postgresQueries } from "../../postgres.ts";
import { readSecretFile } from "../../secret-file.ts";

export type { PostgresClient } from "../../postgres.ts";

export const NAME = "index/pgvector";

export const { queryRows } = postgresQueries(NAME);

/** How long a connection may take to come about, and a statement as seen from the server and from here. */
const [CONNECT_MS, STATEMENT_MS, ANSWER_MS] = [5_000, 10_000, 12_000];
const CONNECTIONS_MAX = 4;
const WHOLE_ADDRESS = /^postgres(ql)?:\/\//;

/** A client that can be closed. */
export interface ClosableClient extends PostgresClient {
  close(): Promise<void>;
}

/**
 * A pool that is made with the first question. The secret is a password, or a whole address that replaces `url`.
 * Without one the client looks where clients of PostgreSQL look: PGPASSWORD, ~/.pgpass.
 */
export function connect(url: string, secretFile: string | null): ClosableClient {
  let pool: Promise<pg.Pool> | null = null;
  const open = async (): Promise<pg.Pool> => {
    const secret = await readSecretFile(NAME, secretFile);
    const isWhole = secret !== null && WHOLE_ADDRESS.test(secret);
    const made = new pg.Pool({
      connectionString: isWhole ? secret : url,
      ...(isWhole || secret === null ? {} : { password: secret }),
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      application_name: "sluice",
    });
    return made.on("error", () => {}); // An idle connection that was cut; the next statement makes a new one.
  };
  return {
    async query(text, values) {
      // A secret that cannot be read now may be there for the next question.
      pool ??= open();
      const ready = await pool.catch((error: unknown) => {
        pool = null;
        throw error;
      });
      return ready.query(text, values);
    },
    close: async () => (await pool?.catch(() => null))?.end(),
  };
}
