import { openRedis, type OwnRedis, type RedisClient } from "../redis.ts";
import { readSecretFile } from "../secret-file.ts";

/** A client that connects with the first command. */
export function lazyRedis(
  driver: string,
  url: string,
  secretFile: string | null,
): RedisClient & { close(): Promise<void> } {
  let own: Promise<OwnRedis> | null = null;
  const open = async () => openRedis(driver, url, await readSecretFile(driver, secretFile));
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
