import { type Claim, type ClaimRequest, decideClaim } from "../../../core/fence/record.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import { type FenceRow, type PostgresClient, queryRows, recordOf } from "./client.ts";
import { idOf, inKeyOrder, readRows } from "./places.ts";
import type { Statements } from "./statements.ts";

/** Rounds of a claim that loses its compare-and-set to others; each round means that somebody else moved on. */
const CLAIM_ROUNDS_MAX = 50;

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

/** Answers claims in the order asked; those of one key as if they had come one after the other. */
export async function claimBatch(
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
