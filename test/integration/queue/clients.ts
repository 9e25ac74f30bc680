import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const root = new URL("../../queue-clients/", import.meta.url);
const fromThere = createRequire(new URL("package.json", root));

/** Clients that users have and the product does not: their own package, so that nobody else installs them. */
export function hasQueueClients(): boolean {
  if (existsSync(new URL("node_modules/bullmq", root))) return true;
  const install = "npm ci --prefix test/queue-clients --ignore-scripts";
  if (process.env["CI"]) throw new Error(`the clients of queues are not installed: run ${install}`);
  console.warn(`skipped: clients of queues; to run it: ${install}`);
  return false;
}

/** What we use of BullMQ. */
export interface BullMq {
  readonly Queue: new (name: string, options: object) => BullQueueClient;
  readonly Worker: new (name: string, processor: null, options: object) => BullWorker;
}
export interface BullQueueClient {
  addBulk(jobs: readonly { name: string; data: unknown; opts?: object }[]): Promise<unknown>;
  add(name: string, data: unknown, options?: object): Promise<unknown>;
  isPaused(): Promise<boolean>;
  on(event: "error", seen: () => void): unknown;
  close(): Promise<void>;
}
export interface BullWorker {
  getNextJob(token: string, options: { block: boolean }): Promise<BullJob | undefined>;
  on(event: "error", seen: () => void): unknown;
  close(force?: boolean): Promise<void>;
}
export interface BullJob {
  readonly id: string;
  readonly data: { readonly body: string };
  moveToCompleted(value: unknown, token: string, fetchNext: boolean): Promise<unknown>;
  moveToFailed(error: Error, token: string, fetchNext: boolean): Promise<unknown>;
}

/** What we use of pg-boss. */
export interface PgBossModule {
  readonly PgBoss: new (options: object) => Boss;
}
export interface Boss {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  on(event: "error", seen: () => void): unknown;
  createQueue(name: string): Promise<void>;
  send(name: string, data: object, options?: object): Promise<string | null>;
  insert(name: string, jobs: readonly object[]): Promise<unknown>;
  fetch(name: string, options: { batchSize: number }): Promise<readonly { id: string; data: { body: string } }[]>;
  complete(name: string, id: string): Promise<unknown>;
  fail(name: string, id: string): Promise<unknown>;
}

/** What we use of amqplib. */
export interface AmqpModule {
  connect(url: string, options?: object): Promise<AmqpConnection>;
}
export interface AmqpConnection {
  createConfirmChannel(): Promise<AmqpChannel>;
  on(event: "error" | "close", seen: () => void): unknown;
  close(): Promise<void>;
}
export interface AmqpChannel {
  assertQueue(name: string, options?: object): Promise<unknown>;
  sendToQueue(name: string, body: Buffer, options?: object): boolean;
  waitForConfirms(): Promise<void>;
  get(name: string): Promise<AmqpMessage | false>;
  checkQueue(name: string): Promise<unknown>;
  ack(message: AmqpMessage): void;
  on(event: "error" | "close", seen: () => void): unknown;
  close(): Promise<void>;
}
export interface AmqpMessage {
  readonly content: Buffer;
  readonly fields: { readonly redelivered: boolean };
}

export const bullMq = (): BullMq => fromThere("bullmq") as BullMq;
export const amqp = (): AmqpModule => fromThere("amqplib") as AmqpModule;
/** An ECMAScript module, which a require does not load on every Node.js. */
export const pgBossModule = async (): Promise<PgBossModule> =>
  (await import(/* @vite-ignore */ fromThere.resolve("pg-boss"))) as PgBossModule;
