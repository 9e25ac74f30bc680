import { postgresCache } from "../../drivers/cache/postgres/index.ts";
import { postgresQueue } from "../../drivers/queue/postgres/index.ts";
import { blankMemoryDatabase } from "../../drivers/store/pglite/index.ts";
import { systemClock } from "../../host/system-clock.ts";
import { serveDatabase } from "../../lab/database/serve.ts";
import { laggingNames, WORK_TABLES } from "../../lab/database/tables.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface LabDatabaseOptions {
  readonly port: number;
  /** A planted fault: readers see a public name moved so much later than it was acknowledged; null: at once. */
  readonly aliasLagMs: number | null;
  /** The public name that lags, and where it begins. */
  readonly alias: string;
  readonly index: string;
}

/**
 * `sluice lab database`: a PGlite in memory that speaks PostgreSQL's protocol to other processes of this machine, with
 * the tables of queue, cache and effects. Prints one JSON line when it is ready.
 */
export async function labDatabase(options: LabDatabaseOptions, terminal: Terminal): Promise<ExitCode> {
  const database = await blankMemoryDatabase();
  const { aliasLagMs: lagMs, alias, index } = options;
  if (lagMs !== null) await database.exec(laggingNames(lagMs, { alias, index }));
  const client = { query: (text: string, values?: unknown[]) => database.query(text, values) };
  const clock = systemClock();
  await postgresQueue({ client, clock }).migrate();
  await postgresCache({ client, clock }).migrate();
  await database.exec(WORK_TABLES);
  const { url, close } = await serveDatabase(database, options.port);
  const ended = new Promise<ExitCode>((resolve) => {
    process.once("SIGTERM", () => resolve(EXIT.ok));
    process.once("SIGINT", () => resolve(EXIT.interrupted));
  });
  terminal.data(JSON.stringify({ url }));
  const code = await ended;
  await close();
  await database.close();
  return code;
}
