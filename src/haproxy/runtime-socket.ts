import { connect } from "node:net";
import type { Clock } from "../ports/clock.ts";

/** A proxy answers its own socket in microseconds; one that does not within this is taken for gone. */
const ANSWER_MS = 2_000;
const ANSWER_BYTES_MAX = 1_048_576;

/** A conversation with the proxy that did not come to an answer. */
export class ProxyUnreachable extends Error {}

/**
 * One command at a socket of the proxy, and its whole answer. @source HAProxy 2.6 management guide, 9.3 and 9.4
 * @throws ProxyUnreachable when nobody answers in time
 */
export async function ask(socketPath: string, command: string, clock: Clock): Promise<string> {
  const until = clock.timeout(ANSWER_MS);
  const socket = connect(socketPath);
  const stop = () => socket.destroy(new Error(`no whole answer within ${ANSWER_MS} ms`));
  until.addEventListener("abort", stop, { once: true });
  try {
    socket.end(`${command}\n`);
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of socket as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    }
    return Buffer.concat(pieces).toString("utf8");
  } catch (error) {
    throw new ProxyUnreachable(`${socketPath} gave no answer to "${command}": ${(error as Error).message}`);
  } finally {
    until.removeEventListener("abort", stop);
    socket.destroy();
  }
}

/** The value of one key of a map; null where the proxy has no such map, or no such key. */
export async function readMap(socketPath: string, map: string, key: string, clock: Clock): Promise<string | null> {
  const answer = await ask(socketPath, `show map ${map}`, clock);
  const line = answer.split("\n").find((one) => one.split(" ")[1] === key);
  return line?.split(" ").slice(2).join(" ") ?? null;
}

/** Whether the proxy has looked at the lease since it started. */
export async function hasChecked(socketPath: string, clock: Clock): Promise<boolean> {
  const answer = await ask(socketPath, "show stat sluice_lease 4 -1", clock);
  const [head = "", ...rows] = answer.trim().split("\n");
  const at = head.split(",").indexOf("check_status");
  return rows.some((row) => !["", "INI"].includes(row.split(",")[at] ?? ""));
}
