/**
 * A program: one relay of one colour, killed and started again by `end-to-end.test.ts`. It sends the outbox to the
 * partner and the copies to the sink, all under one emission grant.
 */
import pg from "pg";
import type { ServingArm } from "../../../src/core/arm.ts";
import { postgresFence } from "../../../src/drivers/fence/postgres/index.ts";
import { postgresOutbox } from "../../../src/drivers/outbox/postgres/index.ts";
import { nodeWebhookTransport } from "../../../src/drivers/webhook/node/index.ts";
import { type RelayEnd, runRelay, type Send, type SendAnswer } from "../../../src/fence/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import {
  acquireEmissionGrant,
  type DeliverOptions,
  type EmissionGrant,
  type EmitOutcome,
  emitWebhook,
  recipientsOf,
  webhookSend,
} from "../../../src/fence/webhook/index.ts";
import { type Clock, clockBySleep } from "../../../src/ports/clock.ts";
import {
  ARM_HEADER,
  CLAIM_MS,
  COPIES_TABLE,
  EMITTER_HEADER,
  EPOCH_HEADER,
  GRANT_SPEED,
  openEndpoints,
  POST_TIMEOUT_MS,
  RETRY_SPEED,
  type RelayConfig,
  type RelayLine,
} from "./relay-config.ts";

type Endpoints = Awaited<ReturnType<typeof openEndpoints>>;

const config = JSON.parse(process.argv[2] ?? "null") as RelayConfig;
const say = (line: RelayLine) => process.stdout.write(`${JSON.stringify(line)}\n`);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.stdin.on("end", () => process.exit(1)).resume(); // The test that started it is gone.

const database = { host: "127.0.0.1", port: config.postgresPort, user: config.colour, database: "postgres", max: 8 };
const pool = new pg.Pool(database).on("error", () => {});
const store = postgresFence({ client: pool });

const fastClock: Clock = clockBySleep({
  wallMs: systemClock.wallMs,
  monoMs: () => systemClock.monoMs() * GRANT_SPEED,
  sleep: (ms, signal) => systemClock.sleep(ms / GRANT_SPEED, signal),
});

function hurried(send: Send): Send {
  return async (row, ticket) => {
    const answer = await send(row, ticket);
    const isWait = answer.kind === "failed" && answer.retryInMs !== undefined;
    return isWait ? { ...answer, retryInMs: (answer.retryInMs ?? 0) / RETRY_SPEED } : answer;
  };
}

function answerOf(outcome: EmitOutcome): SendAnswer {
  switch (outcome.kind) {
    case "delivered":
    case "delivered-before":
      return { kind: "sent" };
    case "retry":
      return { kind: "failed", reason: outcome.reason, retryInMs: outcome.waitMs };
    case "busy":
      return { kind: "failed", reason: "busy", retryInMs: outcome.retryAfterMs * RETRY_SPEED }; // A real lease's end.
    case "unknown":
    case "not-sent":
      return { kind: "failed", reason: outcome.reason };
    default:
      return { kind: "dead", reason: outcome.kind };
  }
}

/** Sends a copy once to the sink of its arm, under the id of the partner's post. */
function copySend(deliver: DeliverOptions, { partner, policyAt }: Endpoints): Send {
  return async (row) => {
    const arm = row.headers[ARM_HEADER] as ServingArm;
    const sink = recipientsOf(arm, partner, policyAt(0)).find(({ role }) => role === "sink");
    if (sink === undefined) return { kind: "dead", reason: `no sink for the arm ${arm}` };
    const body = new TextEncoder().encode(row.payload as string);
    const item = { webhookId: row.effectKey, body, tries: row.tries - 1 };
    const { outcome, egress } = await emitWebhook({ store, leaseMs: CLAIM_MS }, deliver, sink.endpoint, item);
    const answer = answerOf(outcome);
    if (answer.kind === "sent") {
      const { at } = JSON.parse(row.payload as string) as { at: number };
      say({ kind: "copied", arm, webhookId: egress.dedupe_key, tries: egress.tries, ageMs: Date.now() - at });
    }
    return answer;
  };
}

async function relay(epoch: number, emission: EmissionGrant | null): Promise<RelayEnd> {
  say({ kind: "granted", epoch });
  const endpoints = await openEndpoints(config, { [EMITTER_HEADER]: config.colour, [EPOCH_HEADER]: `${epoch}` });
  const ports = [config.partner, config.sink].map(({ url }) => Number(new URL(url).port));
  const transport = nodeWebhookTransport({ allowHttp: true, allowAddresses: ["127.0.0.1/32"], ports });
  const deliver = { transport, timeoutMs: POST_TIMEOUT_MS, ...(emission === null ? {} : { grant: emission }) };
  const run = (table: string, send: Send) =>
    runRelay(
      {
        store: postgresOutbox({ client: pool, table }),
        send: hurried(send),
        sinkHonoursKey: true,
        grant: emission ?? { token: epoch, isHeld: () => true },
        leaseMs: CLAIM_MS,
        pollMs: 50,
        backoff: { baseMs: 50, capMs: 500 },
        owner: config.colour,
        audit(event) {
          const reason = "reason" in event ? event.reason : "error" in event ? String(event.error) : "";
          if (event.kind !== "sent") say({ kind: "audit", event: event.kind, table, reason });
        },
      },
      stop.signal,
    );
  const runs = [
    run("sluice_outbox", webhookSend({ ...deliver, endpointOf: () => endpoints.partner })),
    run(COPIES_TABLE, copySend(deliver, endpoints)),
  ];
  const end = await Promise.race(runs);
  stop.abort(); // One grant for both: when one has ended, the other must.
  await Promise.all(runs);
  return end;
}

async function live(): Promise<RelayEnd | "no-grant"> {
  if (config.believedEpoch !== null) return relay(config.believedEpoch, null);
  const grant = await acquireEmissionGrant(
    {
      store,
      scope: "shop",
      emitter: config.colour,
      outboundTimeoutMs: POST_TIMEOUT_MS * GRANT_SPEED,
      clock: fastClock,
      storeTimeoutMs: 1_000 * GRANT_SPEED,
    },
    stop.signal,
  );
  if (grant === null) return "no-grant";
  const end = await relay(grant.token, grant);
  await grant.release().catch(() => {}); // A database that is away learns it from the lease.
  return end;
}

say({ kind: "ended", end: await live() });
process.exit(0);
