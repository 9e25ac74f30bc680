import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../src/fence/system.ts";
import { memoryFence } from "../../../src/fence/memory-store.ts";
import { webhookSigner } from "../../../src/fence/webhook/sign.ts";
import { webhookVerifier } from "../../../src/fence/webhook/verify.ts";
import type { WebhookAnswer, WebhookPost } from "../../../src/ports/webhook-transport.ts";
import { blankDatabase } from "../../blank-database.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const folder = join(root, ".sluice", `webhook-docs-${process.pid}`);
const page = readFileSync(join(root, "docs", "fence", "webhooks.md"), "utf8");
const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);

/** The blocks in the order of the page. */
const [RECEIVE, INBOX, SEND, SINK, GRANT] = [0, 1, 2, 3, 4];
const COMPILER = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    lib: ["ES2023", "DOM", "DOM.Iterable"],
    types: [],
    paths: {
      "sluice/fence": ["../../src/fence/index.ts"],
      "sluice/drivers/*": ["../../src/drivers/*/index.ts"],
    },
  },
  include: ["sample-*.ts"],
};

/** The published names as files, so that a sample runs as it stands. */
const withFiles = (text: string) =>
  text.replace(/"sluice\/([a-z/-]+)"/g, (_, entry: string) => `"../../src/${entry}/index.ts"`);

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

const ok: WebhookAnswer = { kind: "answered", status: 204, retryAfter: null };

/** A fake partner that writes down what it gets. */
function aTransport(answer: WebhookAnswer = ok) {
  const posts: WebhookPost[] = [];
  return { posts, post: async (order: WebhookPost) => (posts.push(order), answer) };
}

describe("docs/fence/webhooks.md", () => {
  it("has five samples that compile against the published names", { timeout: 60_000 }, () => {
    expect(blocks).toHaveLength(5);
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], {
      encoding: "utf8",
    });
    expect(tsc.stdout.split("\n").filter((line) => line.includes("sample-"))).toEqual([]);
    expect(tsc.error).toBe(undefined);
  });

  it("receives as the page says: 202 kept, 200 again, 422 other body, 400 no type, 401 forged, and works on it once", async () => {
    const { secret, handle, work, done } = await runSample(RECEIVE);
    const signer = await webhookSigner([secret]);
    const alert = vi.spyOn(console, "error").mockImplementation(() => {});
    const statusOf = async (text: string, id = "evt-1") => {
      const body = new TextEncoder().encode(text);
      const headers = { ...(await signer.sign({ id, attemptAt: systemClock.wallMs(), body })) };
      return (await handle(new Request("https://a.test/", { method: "POST", headers, body }))).status as number;
    };
    const statuses = [];
    for (const text of ['{"type":"paid"}', '{"type":"paid"}', '{"type":"refunded"}'])
      statuses.push(await statusOf(text));
    expect(statuses).toEqual([202, 200, 422]);
    expect(alert).toHaveBeenCalledWith("one id, two bodies", "pay", "evt-1");
    alert.mockRestore();
    expect(await statusOf("{}", "evt-2")).toBe(400);
    const forged = new Request("https://a.test/", { method: "POST", body: '{"type":"paid"}' });
    expect((await handle(forged)).status).toBe(401);
    expect([await work(), await work(), done]).toEqual([
      { done: 1, again: 0, dead: 0, lost: 0 },
      { done: 0, again: 0, dead: 0, lost: 0 },
      ["evt-1"],
    ]);
  });

  it("opens the durable inbox as the page says", { timeout: 60_000 }, async () => {
    const { openInbox } = await runSample(INBOX);
    const [database, log] = [await blankDatabase(), vi.spyOn(console, "log").mockImplementation(() => {})];
    const inbox = await openInbox(database, "relaxed");
    expect(log).toHaveBeenCalledWith(expect.stringContaining("fsync="));
    log.mockRestore();
    expect([await inbox.take(1, 1), await inbox.sweep(1_000)]).toEqual([[], 0]);
    await expect(openInbox(database)).rejects.toMatchObject({ code: "rejected" });
    await database.close();
  });

  it("sends as the page says: delivered, then delivered-before, with a signature the partner's public key verifies", async () => {
    const { send, keys } = await runSample(SEND);
    const [transport, log] = [aTransport(), vi.spyOn(console, "log").mockImplementation(() => {})];
    const kinds = [(await send(transport, "o-1", 0)).kind, (await send(transport, "o-1", 0)).kind];
    expect(kinds).toEqual(["delivered", "delivered-before"]);
    expect((await send(aTransport({ kind: "lost", reason: "timeout" }), "o-2", 0)).kind).toBe("unknown");
    expect(log.mock.calls[0]?.[0]).toContain('"tries":1');
    log.mockRestore();
    const [post] = transport.posts as [WebhookPost];
    const verifier = await webhookVerifier([keys.publicKey]);
    const found = await verifier.verify({ headers: new Headers(post.headers), body: post.body }, systemClock.wallMs());
    expect(found).toMatchObject({ kind: "valid", id: post.headers["webhook-id"] });
  });

  it("copies a candidate's emission and compares the arms as the page says", async () => {
    const [{ emitAsCandidate, comparison }, { partner }] = [await runSample(SINK), await runSample(SEND)];
    const transport = aTransport();
    const sink = { endpoint: { ...partner, id: "sink", url: "https://sink.example/" }, candidateBp: 2_500 };
    const item = { webhookId: "evt-1", body: new Uint8Array(2), tries: 0 };
    await emitAsCandidate({ store: memoryFence() }, transport, partner, sink, item);
    expect(transport.posts.map(({ url }) => url).sort()).toEqual([partner.url, "https://sink.example/"]);
    expect(comparison).toMatchObject({
      kind: "compared",
      difference: { deliveredShare: 0, triesMean: 1, ageP50Ms: 5_080 },
    });
  });

  it("sends alone as the page says", async () => {
    const [{ emitAlone }, { partner }] = [await runSample(GRANT), await runSample(SEND)];
    const items = ["a", "b"].map((webhookId) => ({ webhookId, body: new Uint8Array(2), tries: 0 }));
    const steps = await emitAlone(aTransport(), partner, items);
    expect(steps.map(({ kind }: { kind: string }) => kind)).toEqual(["delivered", "delivered"]);
  });
});
