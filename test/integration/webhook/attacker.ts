import { setTimeout as sleep } from "node:timers/promises";
import { createKeyPair } from "../../../src/fence/webhook/secret.ts";
import { type WebhookSigner, webhookSigner } from "../../../src/fence/webhook/sign.ts";
import { systemClock } from "../../../src/fence/system.ts";
import { drawFor, type Post } from "./faulty-partner.ts";

/** Each takes a genuine post's bytes and changes one thing. */
export const FORGERIES = [
  "one bit of the body",
  "another id",
  "a second later",
  "signature of a stranger",
  "no signature",
  "another version's name",
  "5 min and a second late",
  "signed, no event",
] as const;
type Forgery = (typeof FORGERIES)[number];

/** A post that somebody sent again or forged, and how it was answered. */
export interface Attempt {
  readonly kind: "replay" | Forgery;
  readonly status: number;
}

export interface Doors {
  /** The partner now, and when 5 minutes and a second have passed. Neither has faults. */
  readonly now: string;
  readonly late: string;
}

interface Parcel {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

const SIGNED = ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"];
const DELAY_MAX_MS = 2_000;

async function signedBy(signer: WebhookSigner, id: string, text: string): Promise<Parcel> {
  const body = new TextEncoder().encode(text);
  return { headers: { ...(await signer.sign({ id, attemptAt: systemClock.wallMs(), body })) }, body };
}

async function forge(kind: Forgery, parcel: Parcel, signer: WebhookSigner): Promise<Parcel> {
  const { headers, body } = parcel;
  const { "webhook-id": id = "", "webhook-timestamp": timestamp, "webhook-signature": signature = "" } = headers;
  const changed = (changes: Record<string, string>): Parcel => ({ headers: { ...headers, ...changes }, body });
  switch (kind) {
    case "one bit of the body":
      return { headers, body: body.map((byte, index) => (index === body.length - 3 ? byte ^ 1 : byte)) };
    case "another id":
      return changed({ "webhook-id": `${id}0` });
    case "a second later":
      return changed({ "webhook-timestamp": `${Number(timestamp) + 1}` });
    case "signature of a stranger": {
      const stranger = await webhookSigner([(await createKeyPair()).privateKey]);
      return signedBy(stranger, id, new TextDecoder().decode(body));
    }
    case "no signature":
      return { headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== SIGNED[3])), body };
    case "another version's name":
      return changed({ "webhook-signature": signature.replace("v1a,", "v1,") });
    case "signed, no event":
      return signedBy(signer, id, `{"type":"account.closed"}`);
    case "5 min and a second late":
      return parcel;
  }
}

/**
 * Replays a share of the posts with the captured bytes and forges others, each a seeded while after it was captured.
 */
export class Attacker {
  readonly #seed: number;
  readonly #doors: Doors;
  readonly #signer: WebhookSigner;
  readonly #underWay: Promise<Attempt>[] = [];
  #forged = 0;

  constructor(seed: number, doors: Doors, signer: WebhookSigner) {
    [this.#seed, this.#doors, this.#signer] = [seed, doors, signer];
  }

  async #send(kind: Attempt["kind"], captured: Parcel, waitMs: number): Promise<Attempt> {
    await sleep(waitMs);
    const { headers, body } = kind === "replay" ? captured : await forge(kind, captured, this.#signer);
    const door = kind === "5 min and a second late" ? this.#doors.late : this.#doors.now;
    const response = await fetch(door, { method: "POST", headers, body });
    await response.arrayBuffer();
    return { kind, status: response.status };
  }

  /** Listens on the wire: 10 % of the posts are replayed, as many forged. */
  capture({ webhookId, nth, headers, body }: Post): void {
    const draw = (what: string) => drawFor(this.#seed, what, webhookId, nth);
    if (draw("attack") >= 0.2) return;
    const kind = draw("attack") < 0.1 ? "replay" : FORGERIES[this.#forged++ % FORGERIES.length];
    const parcel = { headers: Object.fromEntries(SIGNED.map((name) => [name, headers[name] ?? ""])), body };
    this.#underWay.push(this.#send(kind as Attempt["kind"], parcel, draw("wait") * DELAY_MAX_MS));
  }

  /** Signs other content under the id and revision of a post that was taken. */
  async contradict({ webhookId, body }: Post): Promise<number> {
    const text = new TextDecoder().decode(body).replace(/"at":\d+/, `"at":0`);
    const parcel = await signedBy(this.#signer, webhookId, text);
    return (await fetch(this.#doors.now, { method: "POST", headers: parcel.headers, body: parcel.body })).status;
  }

  /** Waits for all of them. */
  attempts(): Promise<readonly Attempt[]> {
    return Promise.all(this.#underWay);
  }
}
