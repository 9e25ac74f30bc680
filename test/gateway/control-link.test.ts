import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { admitWindow } from "../../src/core/window/admit-window.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { freePort } from "../free-port.ts";
import { closedAfterEach } from "./closed-after-each.ts";
import { aDocument, aGateway, anOrigin, eventually, get, listen } from "./world.ts";

const open = closedAfterEach();

interface Push {
  readonly key: string;
  readonly authorization: string | undefined;
  readonly windows: TelemetryWindow[];
  readonly adopted: { epoch: number; seq: number };
}

/** A fake controller: serves a document as a stream or only by GET, and takes windows. */
async function fakeController(first: RoutingDocument, options: { stream: boolean; port?: number }) {
  const streams = new Set<ServerResponse>();
  const pushes: Push[] = [];
  const state = { document: first, status: 200, gets: 0, notModified: 0 };
  const text = () => JSON.stringify(state.document);
  const event = () => `event: routing\ndata: ${text()}\n\n`;
  const route = (req: IncomingMessage, res: ServerResponse) => {
    state.gets++;
    const etag = `"${state.document.epoch}.${state.document.seq}"`;
    if (req.headers.accept === "text/event-stream") {
      if (!options.stream) return void res.writeHead(406).end();
      streams.add(res.writeHead(200, { "content-type": "text/event-stream" }));
      res.write(event());
    } else if (req.headers["if-none-match"] === etag) {
      state.notModified++;
      res.writeHead(304).end();
    } else res.writeHead(200, { "content-type": "application/json", etag }).end(text());
  };
  const take = (req: IncomingMessage, res: ServerResponse, body: string) => {
    if (state.status !== 200) return void res.writeHead(state.status).end();
    const { windows, adopted } = JSON.parse(body) as Push;
    const key = String(req.headers["idempotency-key"]);
    pushes.push({ key, authorization: req.headers.authorization, windows, adopted });
    res.end(JSON.stringify({ acked: windows.at(-1)?.seq }));
  };
  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (chunk) => (body += chunk));
    req.on("end", () => (req.url === "/v1/telemetry" ? take(req, res, body) : route(req, res)));
  });
  const url = await listen(server, options.port);
  const publish = (document: RoutingDocument) => {
    state.document = document;
    for (const stream of streams) stream.write(event());
  };
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, state, pushes, publish, close };
}

async function world(parts: { stream?: boolean; seq?: number } = {}) {
  const origin = await anOrigin();
  open.push(() => origin.close());
  const document = aDocument(origin.url, null, { drainMs: 200 });
  const options = { stream: parts.stream ?? true, port: await freePort() };
  const controller = await fakeController({ ...document, seq: parts.seq ?? 1 }, options);
  open.push(() => controller.close());
  const gateway = await aGateway(document, { controllerUrl: controller.url, token: "t0k3n" });
  open.push(() => gateway.drain());
  return { origin, document, controller, gateway };
}

describe("a gateway whose lease is over", () => {
  it("says once where its users are and why, and serves stable alone", async () => {
    const [stable, candidate] = [await anOrigin(), await anOrigin()];
    const log: string[] = [];
    const second = { version: 2, region: null, override: null, end: null, kid: null, signature: null } as const;
    const leased = aDocument(stable.url, candidate.url, { ...second, store: "s1", lease: { ms: 15_000 } });
    const gateway = await aGateway(leased, { log: (line) => void log.push(line) });
    open.push(
      () => stable.close(),
      () => candidate.close(),
      () => gateway.drain(),
    );
    const said = () => log.filter((line) => line.startsWith("no lease:"));
    for (let round = 0; round < 15; round++) {
      await get(gateway.url, { headers: { "x-user-id": `u${round}` } });
      await eventually(() => false, 100);
    }
    expect([stable.seen.length, candidate.seen.length]).toEqual([15, 0]);
    expect(said()).toEqual([expect.stringContaining("every user is on stable until it does")]);
  });
});

describe("ControlLink", () => {
  it("adopts what the stream says, at once, and never goes back", async () => {
    const { document, controller, gateway } = await world();
    expect(await eventually(() => gateway.stats().control?.following === "stream")).toBe(true);
    const { gets } = controller.state;
    controller.publish({ ...document, seq: 7 });
    expect(await eventually(() => gateway.document().seq === 7)).toBe(true);
    expect(controller.state.gets).toBe(gets); // At once: it was told, and did not come to ask.
    expect(await eventually(() => controller.pushes.some(({ adopted }) => adopted.seq === 7))).toBe(true);
    controller.publish({ ...document, seq: 3 });
    controller.publish({ ...document, service: "other", seq: 9 });
    expect(await eventually(() => gateway.stats().documentsRefused === 1)).toBe(true);
    expect(gateway.document().seq).toBe(7);
  });

  it("polls each second when there is no stream, and learns of changes by ETag", async () => {
    const { document, controller, gateway } = await world({ stream: false, seq: 2 });
    expect(await eventually(() => gateway.document().seq === 2)).toBe(true);
    expect(gateway.stats().control?.following).not.toBe("stream");
    expect(await eventually(() => controller.state.notModified > 0)).toBe(true);
    controller.publish({ ...document, seq: 4 });
    expect(await eventually(() => gateway.document().seq === 4)).toBe(true);
  });

  it("pushes a valid window each 250 ms, also an empty one, with key, token and adopted document", async () => {
    const { controller, gateway } = await world();
    await get(gateway.url);
    expect(await eventually(() => controller.pushes.length >= 4)).toBe(true);
    const windows = controller.pushes.flatMap((push) => push.windows);
    expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_window, at) => at));
    for (const window of windows) expect(admitWindow(window)).toEqual(window);
    expect(windows.reduce((sum, { arms }) => sum + arms.stable.requestsAll, 0)).toBe(1);
    expect(windows.some(({ arms }) => arms.stable.requestsAll === 0)).toBe(true);
    const [push] = controller.pushes;
    expect(push?.key).toBe(`${gateway.gatewayId}.${push?.windows.at(-1)?.seq}`);
    expect([push?.authorization, push?.adopted]).toEqual(["Bearer t0k3n", { epoch: 1, seq: 1 }]);
  });

  it("I21: serves on without the controller, keeps its windows and sends them in order when it is back", async () => {
    const { origin, document, controller, gateway } = await world();
    expect(await eventually(() => controller.pushes.length > 0)).toBe(true);
    const port = Number(new URL(controller.url).port);
    await controller.close();
    expect((await get(gateway.url)).status).toBe(200);
    expect(await eventually(() => (gateway.stats().control?.windowsWaiting ?? 0) >= 3)).toBe(true);
    const back = await fakeController({ ...document, seq: 5 }, { stream: true, port });
    open.push(() => back.close());
    expect(await eventually(() => back.pushes.length > 0 && gateway.document().seq === 5)).toBe(true);
    const seqs = [...controller.pushes, ...back.pushes].flatMap((push) => push.windows.map(({ seq }) => seq));
    expect([...new Set(seqs)]).toEqual(Array.from({ length: Math.max(...seqs) + 1 }, (_, at) => at));
    expect(origin.seen).toHaveLength(1);
    expect(gateway.stats().control?.windowsDropped).toBe(0);
  });

  it("gives up windows the controller refuses for good, and keeps those it could not take", async () => {
    const { controller, gateway } = await world();
    controller.state.status = 503;
    expect(await eventually(() => (gateway.stats().control?.windowsWaiting ?? 0) >= 2)).toBe(true);
    expect(gateway.stats().control?.windowsDropped).toBe(0);
    controller.state.status = 422;
    expect(await eventually(() => (gateway.stats().control?.windowsDropped ?? 0) >= 2)).toBe(true);
  });

  it("pushes the last window when it drains", async () => {
    const { controller, gateway } = await world();
    await eventually(() => controller.pushes.length > 0);
    await get(gateway.url);
    await gateway.drain();
    const windows = controller.pushes.flatMap((push) => push.windows);
    expect(windows.reduce((sum, { arms }) => sum + arms.stable.requestsAll, 0)).toBe(1);
  });
});

describe("StateFile", () => {
  it("I21: a gateway restarted without its controller serves the last good split", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-state-"));
    open.push(() => rm(folder, { recursive: true }));
    const stateFile = join(folder, "routing.json");
    const origin = await anOrigin();
    open.push(() => origin.close());
    const document = aDocument(origin.url, origin.url, { drainMs: 100 });
    const before = await aGateway(document, { stateFile });
    for (let seq = 2; seq <= 40; seq++) before.adopt({ ...document, seq });
    await before.drain();
    expect(JSON.parse(await readFile(stateFile, "utf8")).seq).toBe(40);

    const after = await aGateway(document, { stateFile, controllerUrl: "http://127.0.0.1:9" });
    expect((await get(after.url)).headers["x-sluice-doc"]).toBe("1.40");
    await after.drain();

    const newer = await aGateway({ ...document, epoch: 2 }, { stateFile });
    expect(newer.document()).toMatchObject({ epoch: 2, seq: 1 });
    await newer.drain();
  });

  it("starts from the given document when the file is broken or of another service, and says so", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-state-"));
    open.push(() => rm(folder, { recursive: true }));
    const stateFile = join(folder, "routing.json");
    const document = aDocument("http://127.0.0.1:9", null, { drainMs: 100 });
    for (const text of ["{", JSON.stringify({ ...document, service: "other", seq: 9 })]) {
      await writeFile(stateFile, text);
      const lines: string[] = [];
      const gateway = await aGateway(document, { stateFile, log: (line) => lines.push(line) });
      expect(gateway.document().seq).toBe(1);
      expect(lines.join()).toContain("is not used");
      await gateway.drain();
    }
  });
});
