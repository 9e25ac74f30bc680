import { decideComplete, type FenceOwner, type OwnerAnswer } from "../../../core/fence/record.ts";
import { type PostgresClient, queryRows, recordOf } from "./client.ts";
import { idOf, inKeyOrder, type Place, readRows } from "./places.ts";
import { type Statements, statementsFor } from "./statements.ts";

export interface Completion extends FenceOwner {
  readonly result: string;
  readonly retentionMs: number;
}

/** Stores the results of those that still own their key, and says of each how it went. */
export async function completeBatch(
  client: PostgresClient,
  sql: Statements,
  asked: readonly Completion[],
): Promise<readonly OwnerAnswer[]> {
  const sorted = inKeyOrder(asked);
  const column = <T>(of: (completion: Completion) => T) => sorted.map(of);
  const written = await queryRows<Place>(client, sql.complete, [
    column((c) => c.scope),
    column((c) => c.key),
    column((c) => c.attemptId),
    column((c) => c.token),
    column((c) => c.result),
    column((c) => c.retentionMs),
  ]);
  const stored = new Set(written.map(idOf));
  const rows = await readRows(
    client,
    sql,
    asked.filter((completion) => !stored.has(idOf(completion))),
  );
  return asked.map((completion) => {
    if (stored.has(idOf(completion))) return "stored";
    const row = rows.get(idOf(completion));
    const decision = decideComplete(row === undefined ? null : recordOf(row), completion);
    return decision === "write" ? "superseded" : decision; // It was not ours when it was written.
  });
}

/**
 * Completes inside the caller's own transaction, so that the result, the business row and the outbox row commit or
 * vanish together. Roll back unless it answers `stored`.
 */
export async function completeInTransaction(
  transaction: PostgresClient,
  owner: FenceOwner,
  result: string,
  config: { readonly retentionMs: number; readonly table?: string },
): Promise<OwnerAnswer> {
  const sql = statementsFor(config.table ?? "sluice_fence");
  const answers = await completeBatch(transaction, sql, [{ ...owner, result, retentionMs: config.retentionMs }]);
  return answers[0] ?? "missing";
}
