import { Agent, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import { closedAfterEach } from "./closed-after-each.ts";
import { aDocument, aGateway, anOrigin, eventually, exchangeBytes, get } from "./world.ts";

const open = closedAfterEach();

async function world(parts: Partial<RoutingDocument> = {}, options: Partial<GatewayOptions> = {}) {
  const waiting: ServerResponse[] = [];
  const origin = await anOrigin((seen, res) => {
    if (seen.url === "/now") res.end("now");
    else waiting.push(res);
  });
  open.push(() => origin.close());
  const gateway = await aGateway(aDocument(origin.url, null, { drainMs: 5_000, ...parts }), options);
  open.push(() => gateway.drain());
  return { origin, gateway, waiting };
}

describe("drain", () => {
  it("finishes what runs, with Connection: close, and takes no new connection", async () => {
    const { gateway, waiting } = await world();
    const running = get(`${gateway.url}/wait`);
    await eventually(() => waiting.length === 1);
    const drained = gateway.drain();
    await expect(get(`${gateway.url}/now`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    waiting[0]?.end("done");
    const got = await running;
    expect([got.status, got.body, got.headers.connection]).toEqual([200, "done", "close"]);
    await drained;
    expect(gateway.stats().inFlight).toBe(0);
  });

  it("ends idle kept-alive connections at once, and those of streams that began before when the stream ends", async () => {
    const { gateway, waiting } = await world();
    const agent = new Agent({ keepAlive: true });
    open.push(async () => agent.destroy());
    await get(`${gateway.url}/now`, { agent });
    const pieces: string[] = [];
    const stream = new Promise<void>((resolve) => {
      request(`${gateway.url}/stream`, { agent: new Agent({ keepAlive: true }) }, (res) => {
        res.on("data", (chunk) => pieces.push(String(chunk)));
        res.on("end", resolve);
      }).end();
    });
    await eventually(() => waiting.length === 1);
    waiting[0]?.write("one ");
    await eventually(() => pieces.length === 1);
    let isDrained = false;
    const drained = gateway.drain().then(() => {
      isDrained = true;
    });
    expect(await eventually(() => Object.keys(agent.freeSockets).length === 0)).toBe(true);
    expect(isDrained).toBe(false);
    waiting[0]?.end("two");
    await stream;
    await drained;
    expect(pieces.join("")).toBe("one two");
  });

  it("cuts what still runs after drainMs and counts it as its own failure; a second drain is the same drain", async () => {
    const { gateway, waiting } = await world({ drainMs: 100 });
    const running = get(`${gateway.url}/wait`).then(
      () => "whole",
      () => "cut",
    );
    await eventually(() => waiting.length === 1);
    await Promise.all([gateway.drain(), gateway.drain()]);
    expect(await running).toBe("cut");
    expect(gateway.stats()).toMatchObject({ inFlight: 0, gatewayFailures: 1 });
  });
});

describe("S21: limits", () => {
  const timeouts = { clientHeadersMs: 300, clientRequestMs: 600, clientIdleMs: 200 };

  it("ends a client that sends its headers, or its body, too slowly, with 408", async () => {
    const { gateway, origin } = await world({}, { timeouts });
    const slowly = (first: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
        let text = "";
        socket.write(first);
        const drip = setInterval(() => socket.write("a"), 50);
        socket.on("data", (chunk) => (text += chunk));
        socket.on("error", () => {});
        socket.on("close", () => {
          clearInterval(drip);
          resolve(text);
        });
      });
    expect(await slowly("GET /now HTTP/1.1\r\nHost: x\r\nA: ")).toMatch(/^HTTP\/1\.1 408 .*x-sluice-origin: gateway/s);
    const body = await slowly("POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n");
    expect(body === "" || body.startsWith("HTTP/1.1 408")).toBe(true);
    expect(origin.seen).toHaveLength(0);
    expect(await eventually(() => gateway.stats().inFlight === 0)).toBe(true);
  });

  it("closes idle connections and refuses header sections over the limits with 431", async () => {
    const { gateway, origin } = await world({}, { timeouts, limits: { headerBytes: 4_096, headerCount: 20 } });
    const idle = exchangeBytes(gateway.url, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n", 1_900);
    expect(await idle).toContain("now");
    const large = `GET /now HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(5_000)}\r\n\r\n`;
    expect(await exchangeBytes(gateway.url, large)).toMatch(/^HTTP\/1\.1 431 /);
    const many = `GET /now HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(20)}\r\n`;
    expect(await exchangeBytes(gateway.url, many)).toMatch(/^HTTP\/1\.1 431 /);
    expect(origin.seen).toHaveLength(1);
  });

  it("keeps serving while 10 times as many requests arrive as connections to the endpoint are allowed", async () => {
    const { gateway, origin } = await world({}, { limits: { connectionsPerEndpoint: 4 } });
    let connections = 0;
    origin.server.on("connection", () => connections++);
    const agent = new Agent({ maxSockets: 40 });
    open.push(async () => agent.destroy());
    const all = await Promise.all(Array.from({ length: 400 }, () => get(`${gateway.url}/now`, { agent })));
    expect(all.every(({ status }) => status === 200)).toBe(true);
    expect(connections).toBeLessThanOrEqual(4);
  });

  it("refuses to start with a document that is not admissible or of another service, and on a taken port", async () => {
    const { gateway, origin } = await world();
    const taken = { host: "127.0.0.1", port: Number(new URL(gateway.url).port) };
    await expect(aGateway(aDocument(origin.url, null), { listen: taken })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    await expect(aGateway(aDocument("ftp://x", null))).rejects.toThrow(/arms\.stable\.endpoints\[0\]/);
    await expect(aGateway(aDocument(origin.url, null), { service: "other" })).rejects.toThrow(TypeError);
  });
});
