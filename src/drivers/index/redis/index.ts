import { openRedis, type OwnRedis, type RedisClient } from "../../redis.ts";
import { readSecretFile } from "../../secret-file.ts";
import type { IndexDriverFace } from "../index-driver.ts";
import { redisIndexAliases } from "./driver.ts";
import { NAME } from "./records.ts";

export type { RedisClient } from "../../redis.ts";
export { type RedisIndexConfig, redisIndexAliases } from "./driver.ts";

export const runtime = "node";

/** A client that connects with the first command. */
function lazily(url: string, secretFile: string | null): RedisClient & { close(): Promise<void> } {
  let own: Promise<OwnRedis> | null = null;
  const open = async () => openRedis(NAME, url, await readSecretFile(NAME, secretFile));
  return {
    async call(command, ...args) {
      own ??= open();
      const { client } = await own.catch((error: unknown) => {
        own = null; // A secret that cannot be read now may be there for the next question.
        throw error;
      });
      return client.call(command, ...args);
    },
    close: async () => (await own?.catch(() => null))?.close(),
  };
}

/** What hosts know of it. */
export const driver = {
  product: "redis",
  open({ url, secretFile }) {
    const client = lazily(url, secretFile);
    return redisIndexAliases({ client, close: () => client.close() });
  },
} satisfies IndexDriverFace;
