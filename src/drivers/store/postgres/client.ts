import { Socket } from "node:net";
import pg from "pg";
import type { SqlClient, SqlDatabase } from "../sql/client.ts";
import { isUndone, Uncertain } from "./failure.ts";

/** How long a connection may take to come about. */
const CONNECT_MS = 5_000;
/** How long a statement may take: on the server, and as seen from here, where a network may have swallowed it. */
const STATEMENT_MS = 10_000;
const ANSWER_MS = 12_000;
/**
 * A process that was stopped in the middle of a transaction holds what the next owner waits for: the server ends it
 * after so long.
 */
const IDLE_INSIDE_MS = 4_000;
const CONNECTIONS_MAX = 6;

/** Where the tables of a store are: in a schema of their own, for other programs have a table `tokens` too. */
export const SCHEMA = "sluice";

export interface ConnectionOptions {
  /** `postgres://user@host:port/database`, without a password. */
  readonly url: string;
  /** Left out, the client looks where clients of PostgreSQL look: PGPASSWORD, ~/.pgpass. */
  readonly password?: string | undefined;
}

/** What the connections of a pool run on. */
const socketsOf = new WeakMap<pg.Pool, ReadonlySet<Socket>>();

/** A pool of connections; none is made before the first statement. */
export function connect({ url, password }: ConnectionOptions): pg.Pool {
  const at = new URL(url);
  const asked = at.searchParams.get("options") ?? "";
  at.searchParams.delete("options"); // What an address says counts more than what is said beside it.
  if (password !== undefined) at.password = encodeURIComponent(password); // Also where it says no password.
  const own = `-c search_path=${SCHEMA} -c statement_timeout=${STATEMENT_MS}`;
  const sockets = new Set<Socket>();
  const pool = new pg.Pool({
    connectionString: at.href,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once("close", () => void sockets.delete(socket));
    },
    application_name: at.searchParams.get("application_name") ?? "sluice",
    options: `${asked} ${own} -c idle_in_transaction_session_timeout=${IDLE_INSIDE_MS}`,
  });
  socketsOf.set(pool, sockets);
  return pool.on("error", () => {}); // An idle connection that was cut; the next statement makes a new one.
}

/** The pool as the store's statements ask for it. A connection on which anything failed is not used again. */
export function pooled(pool: pg.Pool): SqlDatabase {
  return {
    ...clientOf(pool),
    async alone<Row>(text: string, values: unknown[]): Promise<Row[]> {
      const one = await pool.connect();
      one.on("error", ignoreCut);
      let isCut = true;
      try {
        const { rows } = await one.query({ name: nameOf(text), text, values });
        isCut = false;
        return rows as Row[];
      } catch (error) {
        throw isUndone(error) ? error : new Uncertain(error);
      } finally {
        one.off("error", ignoreCut);
        one.release(isCut);
      }
    },
    async transaction(work) {
      const one = await pool.connect();
      one.on("error", ignoreCut);
      let failure: unknown = null;
      try {
        await one.query("begin");
        const result = await work(clientOf(one));
        await commit(one);
        return result;
      } catch (error) {
        failure = error;
        await one.query("rollback").then(
          () => {
            failure = null;
          },
          () => {}, // The connection is gone, and with it the transaction.
        );
        throw error;
      } finally {
        one.off("error", ignoreCut);
        one.release(failure !== null);
      }
    },
    async close() {
      await pool.end();
      // One whose login failed on this side is not ended by the client, and would keep the process for a minute.
      for (const socket of socketsOf.get(pool) ?? []) socket.destroy();
    },
  };
}

/** A connection that is cut: told by the statement under way. */
const ignoreCut = (): void => {};

const names = new Map<string, string>();

/** A statement that is sent often is read by the server once a connection. There are few, so the names stay few. */
function nameOf(text: string): string {
  const name = names.get(text) ?? `sluice-${names.size}`;
  names.set(text, name);
  return name;
}

async function commit(client: pg.PoolClient): Promise<void> {
  try {
    await client.query("commit");
  } catch (error) {
    throw isUndone(error) ? error : new Uncertain(error);
  }
}

function clientOf(on: pg.Pool | pg.PoolClient): SqlClient {
  return {
    async query<Row>(text: string, values?: unknown[]) {
      const { rows, rowCount } = await on.query(text, values);
      return { rows: rows as Row[], affectedRows: rowCount ?? 0 };
    },
  };
}
