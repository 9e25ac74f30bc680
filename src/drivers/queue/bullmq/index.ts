import { openRedis } from "../../redis.ts";
import { readSecretFile } from "../../secret-file.ts";
import type { QueueDriverFace } from "../queue-driver.ts";
import { bullQueue } from "./driver.ts";

export type { RedisClient } from "../../redis.ts";
export { type BullQueueConfig, bullQueue } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

/** BullMQ's prefix, where it is not its default, stands in the address: `redis://host:6379/0?prefix=mine`. */
function splitPrefix(url: string): { readonly url: string; readonly bullPrefix?: string } {
  if (!URL.canParse(url)) return { url };
  const address = new URL(url);
  const prefix = address.searchParams.get("prefix");
  address.searchParams.delete("prefix");
  return { url: address.href, ...(prefix === null ? {} : { bullPrefix: prefix }) };
}

export const driver = {
  product: "bullmq",
  async open({ url, secretFile }, clock) {
    const { url: address, ...of } = splitPrefix(url);
    const password = await readSecretFile("queue/bullmq", secretFile);
    return bullQueue({ ...(await openRedis("queue/bullmq", address, password)), clock, ...of });
  },
} satisfies QueueDriverFace;
