import { httpSend } from "../../http-send.ts";
import { openNotes, splitNotes } from "../notes-elsewhere.ts";
import type { QueueDriverFace } from "../queue-driver.ts";
import { NAME } from "./answers.ts";
import { rabbitQueue } from "./driver.ts";

export { type QueueNotes, postgresNotes, redisNotes } from "../notes-elsewhere.ts";
export { type RabbitQueueConfig, rabbitQueue } from "./driver.ts";

/** Where this driver runs. */
export const runtime = "node";

const basic = (secret: string | null) =>
  secret === null ? {} : { authorization: `Basic ${Buffer.from(secret).toString("base64")}` };

export const driver = {
  product: "rabbitmq",
  async open({ url: whole, secretFile }, clock) {
    const { url, notes } = splitNotes(NAME, whole);
    const vhost = url.searchParams.get("vhost") ?? "/";
    url.search = "";
    const send = httpSend(NAME, { url: new URL("/api", url).href, secretFile, clock }, basic);
    return rabbitQueue({ send, notes: await openNotes(NAME, notes), clock, vhost });
  },
} satisfies QueueDriverFace;
