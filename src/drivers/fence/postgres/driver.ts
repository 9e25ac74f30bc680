import { type ClaimRequest, type FenceOwner, settlerId } from "../../../core/fence/record.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { FenceDurability, FenceStore } from "../../../ports/fence-store.ts";
import { createBatch } from "../../batch.ts";
import { claimBatch } from "./claims.ts";
import { type PostgresClient, queryRows, recordOf } from "./client.ts";
import { type Completion, completeBatch } from "./completions.ts";
import { idOf, readRows } from "./places.ts";
import { statementsFor } from "./statements.ts";

export interface PostgresFenceConfig {
  readonly client: PostgresClient;
  /** Plain lower-case name, optionally with a schema. Default `sluice_fence`. */
  readonly table?: string;
  /**
   * `required` (default): `check` refuses a server that acknowledges before it has written. `relaxed`: a crash of the
   * server may forget acknowledged keys, and with them the promise; also what PGlite needs, which reports fsync=off.
   */
  readonly durability?: "required" | "relaxed";
  /** Claims, or completions, in one statement at most. Default 256. */
  readonly batchMax?: number;
  /** Statements of one kind under way at once; keep it below the size of the pool. Default 2. */
  readonly inFlightMax?: number;
}

export interface PostgresFence extends FenceStore {
  /**
   * Creates the table and its token sequence where they are missing. Idempotent; run it at deployment, not per process.
   */
  migrate(): Promise<void>;
  /** After a restore from a backup and before any claim: moves every token past all that were ever handed out. */
  jumpTokens(): Promise<void>;
}

const RESULT_BYTES_MAX = 1_048_576;

async function readSettings(client: PostgresClient): Promise<FenceDurability> {
  const text = "select current_setting('synchronous_commit') as synchronous_commit, current_setting('fsync') as fsync";
  const [row] = await queryRows<{ synchronous_commit: string; fsync: string }>(client, text, []);
  const found = `synchronous_commit=${row?.synchronous_commit} fsync=${row?.fsync}`;
  const isDurable = row?.fsync === "on" && row.synchronous_commit !== "off";
  return { kind: isDurable ? "durable" : "relaxed", found };
}

/**
 * A fence in PostgreSQL 13 or newer, or in PGlite. Claims and completions of one turn of the event loop share a
 * statement.
 */
export function postgresFence(config: PostgresFenceConfig): PostgresFence {
  const { client, durability = "required", batchMax: sizeMax = 256, inFlightMax = 2 } = config;
  const sql = statementsFor(config.table ?? "sluice_fence");
  const claim = createBatch({
    run: (asked: readonly ClaimRequest[]) => claimBatch(client, sql, asked),
    idOf: null,
    sizeMax,
    inFlightMax,
  });
  const complete = createBatch({
    run: (asked: readonly Completion[]) => completeBatch(client, sql, asked),
    idOf,
    sizeMax,
    inFlightMax,
  });
  const didChange = async (text: string, values: unknown[]) => (await queryRows(client, text, values)).length === 1;
  const ownedBy = (owner: FenceOwner) => [owner.scope, owner.key, owner.attemptId, owner.token];
  return {
    name: "postgres",
    resultBytesMax: RESULT_BYTES_MAX,
    async migrate() {
      for (const text of sql.migrate) await queryRows(client, text, []);
    },
    async check() {
      const durable = await readSettings(client);
      if (durable.kind === "durable" || durability === "relaxed") return durable;
      const advice = "turn both on, or open the fence with durability: relaxed and accept lost keys after a crash";
      throw new DriverError(
        "rejected",
        "never",
        `fence/postgres: needs a durable server, found ${durable.found}; ${advice}`,
      );
    },
    claim,
    complete: (owner, result, retentionMs) => complete({ ...owner, result, retentionMs }),
    renew: (owner, leaseMs, note) => didChange(sql.renew, [...ownedBy(owner), leaseMs, note]),
    async release(owner) {
      const isWork = await didChange(sql.releaseWork, ownedBy(owner));
      return isWork || didChange(sql.releaseLease, ownedBy(owner));
    },
    async read(scope, key) {
      const row = (await readRows(client, sql, [{ scope, key }])).get(idOf({ scope, key }));
      return row === undefined ? null : recordOf(row);
    },
    settle(scope, key, token, settlement) {
      if (settlement.kind === "run-again") return didChange(sql.settleRunAgain, [scope, key, token]);
      const { by, result, retentionMs } = settlement;
      return didChange(sql.settleDone, [scope, key, token, settlerId(by), result, retentionMs]);
    },
    sweep: async (limit) => (await queryRows(client, sql.sweep, [limit])).length,
    async jumpTokens() {
      await queryRows(client, sql.jumpSequence, []);
      await queryRows(client, sql.jumpLeases, []);
    },
  };
}
