import type { PGlite } from "@electric-sql/pglite";
import type { SqlDatabase } from "../sql/client.ts";

/** True when PostgreSQL inside the WebAssembly module has ended: a write to its log failed. */
function isPanic(error: unknown): boolean {
  const { severity = "", name = "" } = error as { severity?: string; name?: string };
  return severity === "PANIC" || severity === "FATAL" || name === "RuntimeError" || name === "ExitStatus";
}

/**
 * PGlite, one piece of work at a time, left alone for ever once it has panicked. Any call after a panic, even the
 * rollback that PGlite's own transactions send, spins without end and takes the whole process with it.
 * @source tried with PGlite 0.5.14 under `ulimit -f`
 */
export function guarded(database: PGlite): SqlDatabase {
  let panic: unknown = null;
  let queue: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(() => {
      if (panic !== null) throw panic;
      return work();
    });
    queue = done.catch(() => {});
    return done;
  };
  const query = async <Row>(text: string, values?: unknown[]): Promise<{ rows: Row[]; affectedRows?: number }> => {
    try {
      return await database.query<Row>(text, values);
    } catch (error) {
      if (isPanic(error)) panic = error;
      throw error;
    }
  };
  return {
    query: (text, values) => alone(() => query(text, values)),
    alone: async <Row>(text: string, values: unknown[]) => (await alone(() => query<Row>(text, values))).rows,
    transaction: (work) =>
      alone(async () => {
        await query("begin");
        try {
          const result = await work({ query });
          await query("commit");
          return result;
        } catch (error) {
          if (panic === null) await query("rollback");
          throw error;
        }
      }),
    async close() {
      await queue;
      if (panic === null) await database.close();
    },
  };
}
