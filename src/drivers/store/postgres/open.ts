import type { ControllerStore } from "../../../ports/controller-store.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { SqlDatabase } from "../sql/client.ts";
import { migrate, refuseNewer, stepsOf } from "../sql/migrate.ts";
import { copyRows } from "../sql/rows.ts";
import { sqlStore } from "../sql/store.ts";
import { type ConnectionOptions, connect, pooled, SCHEMA } from "./client.ts";
import { codeOf, storeError } from "./failure.ts";

export type PostgresStoreOptions = ConnectionOptions;

/** What a server promises of a commit that it has confirmed. */
export interface Durability {
  /** False when a crash of the server may lose commits that it had confirmed. */
  readonly isDurable: boolean;
  /** The settings that say so. */
  readonly found: string;
}

/** A controller's store on a server. Nothing is written before `migrate`. */
export interface PostgresStore extends ControllerStore {
  /** The address, without a password. */
  readonly place: string;
  readonly durability: Durability;
  /** Makes the schema and its tables, or brings those of an older version to the present. */
  migrate(): Promise<void>;
  /** Every row as of one moment, as lines of JSON. Resolves with the migrations the database has seen. */
  copy(take: (lines: readonly string[]) => Promise<void>): Promise<number>;
}

/** Oldest version that the statements were run on. */
const VERSION_MIN = 130_000;

/**
 * Connects to a server, which need not have a store yet.
 * @throws DriverError `rejected` for an unknown database or one that a newer version has changed, `unauthorized`,
 * `unreachable`
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const place = placeOf(options.url);
  const database = pooled(connect(options));
  const explain = (error: unknown) => Promise.resolve(storeError(error, place));
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw await explain(error);
    }
  };
  try {
    const durability = await explained(() => look(database, place));
    return {
      ...sqlStore(database, explain),
      place,
      durability,
      migrate: () => explained(() => makeTables(database)),
      copy: (take) =>
        explained(async () => {
          await copyRows(database, take);
          return stepsOf(database);
        }),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** An address as it may be shown. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `postgres://${host}${pathname}`;
}

async function look(database: SqlDatabase, place: string): Promise<Durability> {
  const text = `select current_setting('server_version_num')::integer as version, current_setting('fsync') as fsync,
    current_setting('synchronous_commit') as synchronous_commit`;
  const { rows } = await database.query<{ version: number; fsync: string; synchronous_commit: string }>(text);
  const { version = 0, fsync, synchronous_commit } = rows[0] ?? {};
  if (version < VERSION_MIN) {
    const found = `the server of ${place} is of version ${Math.floor(version / 10_000)}`;
    throw new DriverError("rejected", "never", `${found}; 13 or newer is needed`);
  }
  refuseNewer(await stepsOf(database), `the store ${place}`);
  const isDurable = fsync === "on" && synchronous_commit !== "off";
  return { isDurable, found: `fsync=${fsync} synchronous_commit=${synchronous_commit}` };
}

async function makeTables(database: SqlDatabase): Promise<void> {
  await makeSchema(database);
  await migrate(database);
}

/** Makes the schema where it is missing. */
export async function makeSchema(database: SqlDatabase): Promise<void> {
  const { rows } = await database.query<{ there: string | null }>(`select to_regnamespace('${SCHEMA}')::text as there`);
  if (rows[0]?.there == null) {
    await database.query(`create schema if not exists ${SCHEMA}`).catch((error: unknown) => {
      if (codeOf(error) !== "23505" && codeOf(error) !== "42P06") throw error; // Another process was faster.
    });
  }
}
