import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { memoryFence } from "../../../src/fence/memory-store.ts";
import { memoryOutbox } from "../../../src/fence/outbox/memory-outbox.ts";
import type { MemoryTransaction } from "../../../src/fence/outbox/memory-transaction.ts";
import type { ClaimedRow } from "../../../src/ports/outbox-store.ts";
import { blankDatabase } from "../../blank-database.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const folder = join(root, ".sluice", `outbox-docs-${process.pid}`);
const page = readFileSync(join(root, "docs", "fence", "outbox.md"), "utf8");
const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);

/** The blocks in the order of the page. */
const [START, POSTGRES, RELAY, CONSUMER, DESK] = [0, 1, 2, 3, 4];
const FENCE = "../../src/fence/index.ts";
const COMPILER = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    lib: ["ES2023", "DOM", "DOM.Iterable"],
    types: [],
    paths: { "sluice/fence": [FENCE], "sluice/drivers/*": ["../../src/drivers/*/index.ts"] },
  },
  include: ["sample-*.ts"],
};

/** The published names as files, so that a sample runs as it stands. */
const withFiles = (text: string) =>
  text.replace('"sluice/fence"', `"${FENCE}"`).replace(/"sluice\/(drivers\/[a-z/-]+)"/g, '"../../src/$1/index.ts"');

// biome-ignore lint: the samples' exports are read by name, and their types are checked by the compiler below.
type Sample = Record<string, any>;
const runSample = (index: number): Promise<Sample> => import(/* @vite-ignore */ join(folder, `run-${index}.ts`));

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(COMPILER));
  blocks.forEach((text, index) => {
    writeFileSync(join(folder, `sample-${index}.ts`), `${text}\nexport {};\n`);
    writeFileSync(join(folder, `run-${index}.ts`), withFiles(text));
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A memory outbox with one row for each key. */
async function outboxWith(...effectKeys: readonly string[]) {
  const memory = memoryOutbox();
  const rows = effectKeys.map((effectKey) => ({ effectKey, topic: "t", payload: "p" }));
  await memory.transact((transaction) => memory.outbox.add(transaction, rows));
  return memory;
}

describe("docs/fence/outbox.md", () => {
  it("has five samples that compile against the published names", { timeout: 60_000 }, () => {
    expect(blocks).toHaveLength(5);
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
      encoding: "utf8",
    });
    expect(tsc.stdout.split("\n").filter((line) => line.includes("sample-"))).toEqual([]);
    expect(tsc.error).toBe(undefined);
  });

  it("makes one row and one invoice of an order that is placed five times", async () => {
    const { placeOrder, orders, invoices, end, ended } = await runSample(START);
    const answers = [];
    for (let time = 0; time < 5; time++) answers.push(await placeOrder("o-1", 30));
    expect(answers.map(({ added, repeated }) => [added.length, repeated.length])).toEqual([
      [1, 0],
      ...Array(4).fill([0, 1]),
    ]);
    await vi.waitFor(() => expect(invoices).toEqual([30]), 5_000);
    end();
    expect(await ended).toBe("aborted");
    expect([[...orders], invoices]).toEqual([[["o-1", 30]], [30]]);
  });

  it("writes order and event together in PostgreSQL, and neither for a key that means another event", async () => {
    const { openOutbox, placeOrder } = await runSample(POSTGRES);
    const database = await blankDatabase();
    await database.query("create table orders (id text primary key)");
    const outbox = await openOutbox(database);
    await placeOrder(database, outbox, "o-1", "key-1");
    await expect(placeOrder(database, outbox, "o-2", "key-1")).rejects.toThrow("effect key used for another event");
    expect((await database.query("select id from orders")).rows).toEqual([{ id: "o-1" }]);
    expect(await outbox.counts()).toMatchObject({ waiting: 1 });
    await database.close();
  });

  it("relays under a lease, says which rows died, and gives the lease back", async () => {
    const { relay } = await runSample(RELAY);
    const { outbox } = await outboxWith("good", "bad");
    const [fence, stop, sent] = [memoryFence(), new AbortController(), [] as string[]];
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const send = async ({ effectKey }: ClaimedRow) => {
      sent.push(effectKey);
      return effectKey === "bad" ? { kind: "dead", reason: "410" } : { kind: "sent" };
    };
    const ended = relay(outbox, fence, send, stop.signal);
    await vi.waitFor(async () => expect(await outbox.counts()).toMatchObject({ sent: 1, dead: 1 }), 5_000);
    stop.abort();
    expect(await ended).toBe("aborted");
    expect(sent).toEqual(["good", "bad"]);
    expect(warned.mock.calls).toEqual([["dead", "bad", "refused: 410"]]);
    warned.mockRestore();
    expect(await fence.read("lease", "outbox")).toMatchObject({ state: "free" });
  });

  it("X-24, QJ-6: applies revisions 1, 3, 2 up to 3, each offset after its transaction, and parks a mismatch", async () => {
    const { onMessage } = await runSample(CONSUMER);
    const { inbox, transact } = memoryOutbox();
    const log: string[] = [];
    const write = async (transaction: MemoryTransaction, { total }: { total: number }) =>
      transaction.onCommit(() => log.push(`total ${total}`));
    const offset = async () => void log.push("offset");
    const take = (effectKey: string, revision: number, total: number) =>
      onMessage({ transact, inbox, write }, { effectKey, order: "o-1", revision, total }, offset);
    expect([
      await take("e1", 1, 10),
      await take("e3", 3, 30),
      await take("e2", 2, 20),
      await take("e3", 3, 30),
    ]).toEqual(["applied", "applied", "superseded", "seen"]);
    expect(log).toEqual(["total 10", "offset", "total 30", "offset", "offset", "offset"]);
    await expect(take("e1", 1, 11)).rejects.toThrow("one key, two contents: e1");
    expect(log).toHaveLength(6);
  });

  it("settles what has arrived and replays what has not", async () => {
    const { lookAfter } = await runSample(DESK);
    const { outbox } = await outboxWith("arrived", "missing");
    const batch = await outbox.claimBatch({ owner: "a", epoch: 0, leaseMs: 60_000, limit: 2, afterDead: "skip" });
    for (const { id, token } of batch.kind === "claimed" ? batch.rows : []) {
      await outbox.markDead({ owner: "a", id, token }, "unknown", "no answer");
    }
    const said = vi.spyOn(console, "log").mockImplementation(() => {});
    const counts = await lookAfter(outbox, async (effectKey: string) => effectKey === "arrived");
    expect(said.mock.calls.map(([effectKey]) => effectKey)).toEqual(["arrived", "missing"]);
    said.mockRestore();
    expect(counts).toMatchObject({ sent: 1, waiting: 1, dead: 0 });
  });
});
