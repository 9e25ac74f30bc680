import { DriverError } from "../ports/driver-error.ts";
import { untilAborted } from "./abortable.ts";

/** The one member of a Redis client we call; an `ioredis` Redis or Cluster has it. */
export interface RedisClient {
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
}

/** One command; its failure is a DriverError that names the driver. */
export type RedisCommand = (signal: AbortSignal, name: string, ...args: (string | number)[]) => Promise<unknown>;

/** How a driver on Redis asks it. */
export function redisCommand(driver: string, client: RedisClient): RedisCommand {
  return async (signal, name, ...args) => {
    try {
      return await untilAborted(signal, () => client.call(name, ...args));
    } catch (error) {
      throw signal.aborted ? error : driverError(driver, error);
    }
  };
}

/** @source Redis documentation: the first word of an error reply is its code */
function driverError(driver: string, error: unknown): DriverError {
  if (error instanceof DriverError) return error; // Of a client that has to find its password first.
  const message = error instanceof Error ? error.message : String(error);
  const what = `${driver}: ${message}`;
  if (/^(NOAUTH|WRONGPASS|NOPERM)/.test(message)) return new DriverError("unauthorized", "never", what, error);
  if (/^(ERR|WRONGTYPE|CROSSSLOT|NOGROUP|NOSCRIPT)/.test(message))
    return new DriverError("rejected", "never", what, error);
  return new DriverError("unreachable", "safe", what, error);
}

/** A client of our own, with the means to end it. Needs the package `ioredis`. */
export interface OwnRedis {
  readonly client: RedisClient;
  close(): Promise<void>;
}

/** A command waits this long for a server that does not answer, in ms. */
const CONNECT_WITHIN_MS = 5_000;

/** Connects when the first command is sent. `password` is kept out of the address, which may end in logs. */
export async function openRedis(driver: string, url: string, password: string | null): Promise<OwnRedis> {
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol))
    throw new DriverError("rejected", "never", `${driver}: expected redis:// or rediss://, found another address`);
  const { Redis } = await import("ioredis").catch((error: unknown) => {
    throw new DriverError("unsupported", "never", `${driver}: needs the package ioredis; install it`, error);
  });
  const client = new Redis(url, {
    ...(password === null ? {} : { password }),
    lazyConnect: true,
    connectTimeout: CONNECT_WITHIN_MS,
    maxRetriesPerRequest: 0, // Whoever ordered tries again, and says how often.
  });
  client.on("error", () => {}); // The command that meets it says so.
  return {
    client: { call: (command, ...args) => client.call(command, ...args) },
    close: async () => client.disconnect(),
  };
}
