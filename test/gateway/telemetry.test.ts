import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Bp } from "../../src/core/unit.ts";
import { countBins, quantileOf } from "../../src/core/window/sketch.ts";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import type { GatewayOptions } from "../../src/gateway/options.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { closedAfterEach, originsIn } from "./closed-after-each.ts";
import { aDocument, aGateway, eventually, get } from "./world.ts";

const open = closedAfterEach();
const origin = originsIn(open);

/** A gateway and the way to its counts: a newer document closes the window. */
async function watched(stable: string, candidate: string | null = null, parts: Partial<GatewayOptions> = {}) {
  const windows: TelemetryWindow[] = [];
  const document = aDocument(stable, candidate, { drainMs: 500 });
  const gateway: Gateway = await aGateway(document, { onWindow: (window) => windows.push(window), ...parts });
  open.push(() => gateway.drain());
  let { seq } = document;
  const cut = async (): Promise<TelemetryWindow> => {
    await eventually(() => gateway.stats().inFlight === 0);
    gateway.adopt({ ...document, seq: ++seq });
    return windows.at(-1) as TelemetryWindow;
  };
  return { gateway, cut };
}

describe("telemetry", () => {
  it("counts answers, 5xx by status, and the latency to the last byte, for each arm", async () => {
    const stable = await origin((seen, res) => {
      if (seen.url === "/503") res.writeHead(503).end();
      else if (seen.url === "/404") res.writeHead(404).end();
      else {
        res.write("a");
        setTimeout(() => res.end("b"), 60);
      }
    });
    const { gateway, cut } = await watched(stable.url);
    for (const path of ["/a", "/a", "/503", "/404"]) await get(`${gateway.url}${path}`);
    const { stable: arm } = (await cut()).arms;
    expect([arm.requestsAll, arm.failuresAll, arm.classes]).toEqual([4, 1, { "headers|5xx|503": 1 }]);
    expect(countBins(arm.warm)).toBe(3);
    expect(quantileOf(arm.warm, 1)).toBeGreaterThan(55);
    expect((await cut()).arms.stable.requestsAll).toBe(0);
  });

  it("TE-12: names the stage: connect refused, headers cut, body cut; the first is its own answer, the cut body is not", async () => {
    const stable = await origin((seen, res, req) => {
      if (seen.url === "/headers") req.socket.destroy();
      else {
        res.writeHead(200, { "content-length": "99" });
        res.write("part", () => req.socket.destroy());
      }
    });
    const { gateway, cut } = await watched(stable.url, "http://127.0.0.1:9");
    const post = { method: "POST" };
    await get(`${gateway.url}/headers`, post, "x");
    await get(`${gateway.url}/body`, post, "x").catch(() => {});
    const candidates = ["u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"];
    let refusedConnections = 0;
    for (const unit of candidates) {
      const got = await get(`${gateway.url}/headers`, { ...post, headers: { "x-user-id": unit } }, "x");
      if (got.headers["x-sluice-arm"] === "candidate") refusedConnections++;
    }
    const { arms, gatewayFailures } = await cut();
    expect(refusedConnections).toBeGreaterThan(0);
    expect(arms.candidate.classes).toEqual({ "connect|network|ECONNREFUSED": refusedConnections });
    const stableHeaders = 1 + candidates.length - refusedConnections;
    expect(arms.stable.classes).toEqual({ "headers|network|ECONNRESET": stableHeaders, "body|network|ECONNRESET": 1 });
    expect(gatewayFailures).toBe(refusedConnections + stableHeaders);
    expect(arms.stable.newUnits + arms.candidate.newUnits).toBe(candidates.length);
  });

  it("counts a failed attempt that was repeated, beside the answer of the second", async () => {
    let calls = 0;
    const stable = await origin((_seen, res, req) => void (++calls === 1 ? req.socket.destroy() : res.end("ok")));
    const { gateway, cut } = await watched(stable.url);
    expect((await get(gateway.url)).status).toBe(200);
    const { arms, gatewayFailures } = await cut();
    expect([arms.stable.requestsAll, arms.stable.classes]).toEqual([2, { "headers|network|ECONNRESET": 1 }]);
    expect(gatewayFailures).toBe(0);
  });

  it("counts a client that goes away as a request, neither as failure nor as latency", async () => {
    const stable = await origin(() => {});
    const { gateway, cut } = await watched(stable.url);
    const req = request(gateway.url).on("error", () => {});
    req.end();
    await eventually(() => stable.seen.length === 1);
    req.destroy();
    const { stable: arm } = (await cut()).arms;
    expect([arm.requestsAll, arm.failuresAll, countBins(arm.warm)]).toEqual([1, 0, 0]);
  });

  it("CW-3: keeps cold starts apart, and warm pings of trusted peers out of every count", async () => {
    const stable = await origin((seen, res) =>
      res.writeHead(200, seen.url === "/cold" ? { "x-cold-start": "1" } : {}).end(),
    );
    const { gateway, cut } = await watched(stable.url, null, { trustedProxies: ["127.0.0.0/8"] });
    await get(`${gateway.url}/cold`);
    await get(`${gateway.url}/warm`);
    await get(gateway.url, { headers: { "x-warm": "true" } });
    expect(stable.seen.map(({ headers }) => headers["x-warm"])).toEqual([undefined, undefined, "true"]);
    const { stable: arm } = (await cut()).arms;
    expect([arm.requestsAll, countBins(arm.warm), countBins(arm.cold), arm.probes]).toEqual([2, 1, 1, 1]);
  });

  it("takes x-warm from strangers for user traffic and removes it", async () => {
    const stable = await origin();
    const { gateway, cut } = await watched(stable.url, null);
    await get(gateway.url, { headers: { "x-warm": "true" } });
    expect(stable.seen[0]?.headers["x-warm"]).toBeUndefined();
    const { stable: arm } = (await cut()).arms;
    expect([arm.requestsAll, arm.probes, gateway.stats().untrustedWarm]).toEqual([1, 0, 1]);
  });

  it("counts what clients did wrong for no arm", async () => {
    const stable = await origin();
    const { gateway, cut } = await watched(stable.url);
    await get(gateway.url, { path: "/a#b" });
    await get(gateway.url, { method: "TRACE" });
    const window = await cut();
    expect([window.arms.stable.requestsAll, window.gatewayFailures]).toEqual([0, 0]);
    expect(gateway.stats().refused).toBe(2);
  });

  it("writes one wide event a request as NDJSON, without unit, path or header of the client", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-events-"));
    open.push(() => rm(folder, { recursive: true }));
    const file = join(folder, "events.ndjson");
    const stable = await origin((seen, res) => res.writeHead(seen.url.includes("bad") ? 500 : 200).end("ok"));
    const gateway = await aGateway(aDocument(stable.url, null, { candidateBp: 0 as Bp, drainMs: 200 }), {
      events: file,
    });
    await get(`${gateway.url}/secret-path`, { headers: { "x-user-id": "alice@example.org" } });
    await get(`${gateway.url}/bad`);
    await gateway.drain();
    const text = await readFile(file, "utf8");
    expect(text).not.toMatch(/alice|secret-path/);
    const [first, second] = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({
      route: "answers",
      arm: "stable",
      release_id: "rel-a",
      status: 200,
      probe: false,
      cold_start: false,
    });
    expect(first.sticky).toMatch(/^h\d{1,4}$/);
    expect(first.latency_ms.tfinal).toBeGreaterThanOrEqual(first.latency_ms.ttfb);
    expect(Number.isNaN(Date.parse(first.ts))).toBe(false);
    expect(second).toMatchObject({
      sticky: null,
      status: 500,
      error_class: { stage: "headers", family: "5xx", code: "500" },
    });
  });
});
