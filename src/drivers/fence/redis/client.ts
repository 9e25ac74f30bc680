import { DriverError } from "../../../ports/driver-error.ts";
import { SCRIPTS, type ScriptName } from "./scripts.ts";

/** The one member of a Redis client we call; an `ioredis` Redis or Cluster has it. */
export interface RedisClient {
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
}

export type ScriptRunner = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

function driverError(error: unknown): DriverError {
  const message = error instanceof Error ? error.message : String(error);
  const what = `fence/redis: ${message}`;
  if (/^(NOAUTH|WRONGPASS|NOPERM)/.test(message)) return new DriverError("unauthorized", "never", what, error);
  if (/^(ERR|WRONGTYPE|CROSSSLOT)/.test(message)) return new DriverError("rejected", "never", what, error);
  return new DriverError("unreachable", "safe", what, error);
}

export async function command(client: RedisClient, name: string, ...args: (string | number)[]): Promise<unknown> {
  try {
    return await client.call(name, ...args);
  } catch (error) {
    throw driverError(error);
  }
}

/** Runs scripts by digest; a server that does not know one yet (new, restarted, failed over) gets its text. */
export function scriptRunner(client: RedisClient): ScriptRunner {
  const digests = new Map<ScriptName, Promise<string>>();
  const digestOf = (name: ScriptName): Promise<string> => {
    const known = digests.get(name) ?? sha1Hex(SCRIPTS[name]);
    digests.set(name, known);
    return known;
  };
  return async (name, keys, args) => {
    const digest = await digestOf(name);
    try {
      return await client.call("EVALSHA", digest, keys.length, ...keys, ...args);
    } catch (error) {
      const isUnknown = error instanceof Error && error.message.startsWith("NOSCRIPT");
      if (!isUnknown) throw driverError(error);
      return command(client, "EVAL", SCRIPTS[name], keys.length, ...keys, ...args);
    }
  };
}

/** Redis names scripts by SHA-1. @source Redis documentation, EVALSHA */
async function sha1Hex(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
