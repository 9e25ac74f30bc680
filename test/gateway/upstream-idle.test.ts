import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_TIMEOUTS } from "../../src/gateway/options.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { aDocument, aGateway, get, listen } from "./world.ts";

/** The shortest that common servers of such services keep an unused connection: gunicorn. */
const COMMON_ORIGIN_MS = 2_000;

let [gateway, server]: [Gateway | null, Server | null] = [null, null];
afterEach(async () => {
  await gateway?.drain();
  server?.close();
});

async function world(upstreamIdleMs: number): Promise<{ readonly url: string; readonly connections: () => number }> {
  let connections = 0;
  server = createServer((_, response) => response.end("ok"));
  server.on("connection", () => connections++);
  gateway = await aGateway(aDocument(await listen(server), null, { drainMs: 300 }), { timeouts: { upstreamIdleMs } });
  return { url: gateway.url, connections: () => connections };
}

describe("a connection to an arm that nobody uses", () => {
  it("is closed by the gateway after its idle time, before the arm would close it under a request", async () => {
    const { url, connections } = await world(300);
    await get(url);
    await sleep(1_500);
    expect((await get(url)).status).toBe(200);
    expect(connections()).toBe(2);
  });

  it("is used again until then", async () => {
    const { url, connections } = await world(20_000);
    await get(url);
    await sleep(500);
    await get(url);
    expect(connections()).toBe(1);
  });

  it("is by default closed sooner than common servers close theirs", () => {
    expect(DEFAULT_TIMEOUTS.upstreamIdleMs).toBeLessThan(COMMON_ORIGIN_MS);
  });
});
