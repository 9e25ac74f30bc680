import {
  type Claim,
  type ClaimRequest,
  decideClaim,
  decideComplete,
  type FenceOwner,
  type OwnerAnswer,
  settlerId,
} from "../../../core/fence/record.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { FenceDurability, FenceStore } from "../../../ports/fence-store.ts";
import { createBatch } from "../../batch.ts";
import { type FenceRow, type PostgresClient, queryRows, recordOf } from "./client.ts";
import { type Statements, statementsFor } from "./statements.ts";

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
  /** Creates the table and its token sequence where they are missing. Idempotent; run it at deployment, not per process. */
  migrate(): Promise<void>;
  /** After a restore from a backup and before any claim: moves every token past all that were ever handed out. */
  jumpTokens(): Promise<void>;
}

const RESULT_BYTES_MAX = 1_048_576;
/** Rounds of a claim that loses its compare-and-set to others; each round means that somebody else moved on. */
const CLAIM_ROUNDS_MAX = 50;

type Place = Pick<FenceOwner, "scope" | "key">;

const idOf = (of: Place) => `${of.scope}\n${of.key}`;
const byId = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** Puts questions into key order, so that all batches lock rows in one order. Returns them with their former places. */
function inKeyOrder<Q extends Place>(questions: readonly Q[]): readonly Q[] {
  return questions
    .map((question) => ({ question, id: idOf(question) }))
    .sort((a, b) => byId(a.id, b.id))
    .map(({ question }) => question);
}

async function readSettings(client: PostgresClient): Promise<FenceDurability> {
  const text = "select current_setting('synchronous_commit') as synchronous_commit, current_setting('fsync') as fsync";
  const [row] = await queryRows<{ synchronous_commit: string; fsync: string }>(client, text, []);
  const found = `synchronous_commit=${row?.synchronous_commit} fsync=${row?.fsync}`;
  const isDurable = row?.fsync === "on" && row.synchronous_commit !== "off";
  return { kind: isDurable ? "durable" : "relaxed", found };
}

/** Inserts the keys that are new. Returns the tokens granted, by key. */
async function insertNew(
  client: PostgresClient,
  sql: Statements,
  asked: readonly ClaimRequest[],
): Promise<Map<string, number>> {
  const sorted = inKeyOrder(asked);
  const column = <T>(of: (request: ClaimRequest) => T) => sorted.map(of);
  const rows = await queryRows<{ scope: string; key: string; token: string | number }>(client, sql.insert, [
    column((r) => r.scope),
    column((r) => r.key),
    column((r) => r.kind),
    column((r) => r.fingerprint),
    column((r) => r.attemptId),
    column((r) => r.leaseMs),
    column((r) => r.effectKey),
    column((r) => r.note),
  ]);
  return new Map(rows.map((row) => [idOf(row), Number(row.token)]));
}

/** The rows of some keys as they are now, by key. */
async function readRows(
  client: PostgresClient,
  sql: Statements,
  places: readonly Place[],
): Promise<Map<string, FenceRow>> {
  if (places.length === 0) return new Map();
  const values = [places.map(({ scope }) => scope), places.map(({ key }) => key)];
  const rows = await queryRows<FenceRow>(client, sql.readMany, values);
  return new Map(rows.map((row) => [idOf(row), row]));
}

/** Writes a claim's transition if the record is still the row. Null: it moved, ask again. */
async function writeClaim(
  client: PostgresClient,
  sql: Statements,
  request: ClaimRequest,
  row: FenceRow,
  resumed: boolean | null,
) {
  const version = [row.scope, row.key, row.state, row.token, row.beat];
  const { kind, fingerprint, attemptId, leaseMs, effectKey, note } = request;
  if (resumed === null) {
    const marked = await queryRows(client, sql.markUnknown, version);
    return marked.length === 1 ? ({ kind: "unknown", token: Number(row.token), note: row.note } as const) : null;
  }
  const values = [...version, kind, fingerprint, attemptId, leaseMs, effectKey, note];
  const [granted] = await queryRows<{ token: string | number }>(client, sql.regrant, values);
  return granted === undefined ? null : ({ kind: "held", token: Number(granted.token), resumed } as const);
}

/** A claim of a batch and, once known, its answer. */
interface OpenClaim {
  readonly request: ClaimRequest;
  claim: Claim | null;
}

/** Answers claims of one key from its row; those that must see a later state stay open. */
async function answerKey(
  client: PostgresClient,
  sql: Statements,
  group: readonly OpenClaim[],
  row: FenceRow,
): Promise<void> {
  const record = recordOf(row);
  let mayWrite = true;
  for (const open of group) {
    const decision = decideClaim(record, open.request, row.now_ms);
    if (decision.kind === "answer") open.claim = decision.claim;
    else if (mayWrite) {
      mayWrite = false; // What it writes makes `row` old: the claims behind it read again.
      const resumed = decision.kind === "grant" ? decision.resumed : null;
      open.claim = await writeClaim(client, sql, open.request, row, resumed);
    }
  }
}

function groupByKey(claims: readonly OpenClaim[]): ReadonlyMap<string, readonly OpenClaim[]> {
  const groups = new Map<string, OpenClaim[]>();
  for (const open of claims) {
    const id = idOf(open.request);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [open]);
    else group.push(open);
  }
  return groups;
}

/** One round: inserts what is new, then answers every other claim from its key's row. */
async function claimRound(client: PostgresClient, sql: Statements, open: readonly OpenClaim[]): Promise<void> {
  const groups = groupByKey(open);
  const firsts = [...groups.values()].map((group) => group[0] as OpenClaim);
  const tokens = await insertNew(
    client,
    sql,
    firsts.map(({ request }) => request),
  );
  for (const first of firsts) {
    const token = tokens.get(idOf(first.request));
    if (token !== undefined) first.claim = { kind: "held", token, resumed: false };
  }
  const unanswered = groupByKey(open.filter(({ claim }) => claim === null));
  const rows = await readRows(
    client,
    sql,
    [...unanswered.values()].map((group) => (group[0] as OpenClaim).request),
  );
  const answered = [...unanswered].map(([id, group]) => {
    const row = rows.get(id);
    return row === undefined ? null : answerKey(client, sql, group, row); // Deleted meanwhile: the next round inserts.
  });
  await Promise.all(answered);
}

async function claimBatch(
  client: PostgresClient,
  sql: Statements,
  asked: readonly ClaimRequest[],
): Promise<readonly Claim[]> {
  const claims = asked.map((request): OpenClaim => ({ request, claim: null }));
  let open = claims;
  for (let round = 0; open.length > 0; round++) {
    if (round === CLAIM_ROUNDS_MAX) {
      throw new DriverError(
        "unreachable",
        "safe",
        `fence/postgres: a claim lost ${round} rounds to others; try again later`,
      );
    }
    await claimRound(client, sql, open);
    open = open.filter(({ claim }) => claim === null);
  }
  return claims.map(({ claim }) => claim as Claim);
}

interface Completion extends FenceOwner {
  readonly result: string;
  readonly retentionMs: number;
}

async function completeBatch(
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

/** A fence in PostgreSQL 13 or newer, or in PGlite. Claims and completions of one turn of the event loop share a statement. */
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
