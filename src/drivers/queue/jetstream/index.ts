import { DriverError } from "../../../ports/driver-error.ts";
import { readSecretFile } from "../../secret-file.ts";
import type { QueueDriverFace } from "../queue-driver.ts";
import { ANSWER_WITHIN_MS, NAME, type NatsClient } from "./client.ts";
import { natsQueue } from "./driver.ts";

export type { NatsClient } from "./client.ts";
export { type NatsQueueConfig, natsQueue } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

const CONNECT_WITHIN_MS = 3_000;

/** A client that connects when it is first asked, and again when that failed. */
async function lazyClient(url: string, secret: string | null) {
  const { connect, headers } = await import("@nats-io/transport-node").catch((error: unknown) => {
    throw new DriverError("unsupported", "never", `${NAME}: needs the package @nats-io/transport-node`, error);
  });
  const { username, protocol, host } = new URL(url);
  const credentials = secret === null ? {} : username === "" ? { token: secret } : { user: username, pass: secret };
  const servers = protocol === "tls:" ? `tls://${host}` : host;
  const begin = () => connect({ servers, ...credentials, timeout: CONNECT_WITHIN_MS, maxReconnectAttempts: 0 });
  let connection: ReturnType<typeof begin> | null = null;
  const opened = async () => {
    connection ??= begin();
    try {
      const found = await connection;
      if (!found.isClosed()) return found;
    } catch (error) {
      connection = null;
      throw error;
    }
    connection = begin();
    return connection;
  };
  const client: NatsClient = {
    request: async (subject, payload, options) => (await opened()).request(subject, payload, options),
    async requestAt(subject, payload, lastSequence) {
      const at = headers();
      at.set("Nats-Expected-Last-Subject-Sequence", String(lastSequence));
      return (await opened()).request(subject, payload, { timeout: ANSWER_WITHIN_MS, headers: at });
    },
  };
  const close = async () => {
    const found = await connection?.catch(() => null);
    await found?.close();
  };
  return { client, close };
}

export const driver = {
  product: "jetstream",
  async open({ url, secretFile }) {
    const isAddress = URL.canParse(url) && /^(nats|tls):$/.test(new URL(url).protocol);
    if (!isAddress) throw new DriverError("rejected", "never", `${NAME}: url is no nats:// or tls:// address`);
    return natsQueue(await lazyClient(url, await readSecretFile(NAME, secretFile)));
  },
} satisfies QueueDriverFace;
