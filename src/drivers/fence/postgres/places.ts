import type { FenceOwner } from "../../../core/fence/record.ts";
import { type FenceRow, type PostgresClient, queryRows } from "./client.ts";
import type { Statements } from "./statements.ts";

/** Where a record is. */
export type Place = Pick<FenceOwner, "scope" | "key">;

export const idOf = (of: Place) => `${of.scope}\n${of.key}`;
const byId = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** Puts questions into key order, so that all batches lock rows in one order. */
export function inKeyOrder<Q extends Place>(questions: readonly Q[]): readonly Q[] {
  return questions
    .map((question) => ({ question, id: idOf(question) }))
    .sort((a, b) => byId(a.id, b.id))
    .map(({ question }) => question);
}

/** The rows of some keys as they are now, by key. */
export async function readRows(
  client: PostgresClient,
  sql: Statements,
  places: readonly Place[],
): Promise<Map<string, FenceRow>> {
  if (places.length === 0) return new Map();
  const values = [places.map(({ scope }) => scope), places.map(({ key }) => key)];
  const rows = await queryRows<FenceRow>(client, sql.readMany, values);
  return new Map(rows.map((row) => [idOf(row), row]));
}
