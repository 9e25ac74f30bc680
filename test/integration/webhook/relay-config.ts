import type { ServingArm } from "../../../src/core/arm.ts";
import { bp } from "../../../src/core/unit.ts";
import type { RelayEnd, RelayEvent } from "../../../src/fence/outbox/relay-run.ts";
import type { SinkPolicy } from "../../../src/fence/webhook/sink.ts";
import type { WebhookEndpoint } from "../../../src/fence/webhook/send.ts";
import { webhookSigner } from "../../../src/fence/webhook/sign.ts";

/** The waits of the retry schedule pass this much faster: 5 min in 75 ms, 5 h in 4.5 s. */
export const RETRY_SPEED = 4_000;
/**
 * The clock of the emission grant runs this much faster: a dead emitter is replaced after 0.8 s and the outbound time.
 */
export const GRANT_SPEED = 6;
/** Longest exchange with a partner. */
export const POST_TIMEOUT_MS = 500;
/** How long rows that a killed relay had claimed are left alone: at least twice two posts, as `webhookSend` asks. */
export const CLAIM_MS = 2_000;

export const COPIES_TABLE = "sink_copies";
/** Sent by every relay with every post, so that the partner sees who emits, and under which grant. */
export const [EMITTER_HEADER, EPOCH_HEADER, ARM_HEADER] = ["x-emitter", "x-epoch", "sluice-arm"] as const;

export type Colour = "blue" | "green";

interface Address {
  readonly url: string;
  readonly privateKey: string;
}

/** What a relay process is told at its start, as JSON in its first argument. */
export interface RelayConfig {
  readonly colour: Colour;
  /** Each colour has an account of its own in the database, named like it. */
  readonly postgresPort: number;
  readonly partner: Address;
  readonly sink: Address;
  /** Null: acquires the grant first. A number: a relay that missed a flip and believes it still holds this epoch. */
  readonly believedEpoch: number | null;
}

/** One line of a relay process on stdout; what was printed survives its death. */
export type RelayLine =
  | { readonly kind: "granted"; readonly epoch: number }
  | { readonly kind: "audit"; readonly event: RelayEvent["kind"]; readonly table: string; readonly reason: string }
  /** A copy's end at the sink. `egress` is the part of the wide event that WE-7 asks for. */
  | {
      readonly kind: "copied";
      readonly arm: ServingArm;
      readonly webhookId: string;
      readonly tries: number;
      readonly ageMs: number;
    }
  | { readonly kind: "ended"; readonly end: RelayEnd | "no-grant" };

/** Where posts and copies go. Producers ask it who gets an event, relays how to reach them. */
export async function openEndpoints(
  { partner, sink }: Pick<RelayConfig, "partner" | "sink">,
  headers: Readonly<Record<string, string>> = {},
) {
  const open = async (id: string, { url, privateKey }: Address): Promise<WebhookEndpoint> => {
    return { id, url, signer: await webhookSigner([privateKey]), dedupesById: true, headers };
  };
  const [toPartner, toSink] = await Promise.all([open("partner-1", partner), open("sink", sink)]);
  /** Copies of both arms, so that like is compared with like. */
  const policyAt = (candidateBp: number): SinkPolicy => {
    return { endpoint: toSink, candidateBp: bp(candidateBp), arms: ["stable", "candidate"] };
  };
  return { partner: toPartner, policyAt };
}
