import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { TelemetryWindow } from "../../src/core/window/window.ts";
import { type FencedHandler, idempotency, memoryFence } from "../../src/fence/index.ts";
import { systemClock } from "../../src/fence/system.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { aDocument, aGateway, anOrigin, eventually, get, type Origin } from "./world.ts";

let gateway: Gateway;
let origin: Origin;
afterEach(async () => {
  await gateway.drain();
  await origin.close();
});

type Counters = TelemetryWindow["arms"]["stable"]["counters"];

/** A service behind the fence and a gateway; resolves with what the gateway counted. */
async function fenced(handler: FencedHandler, ask: (post: (key: string) => Promise<number>) => Promise<void>) {
  const fence = idempotency({
    store: memoryFence(systemClock),
    scope: () => ({ tenant: "acme", principal: "ana", route: "/charges" }),
  });
  origin = await anOrigin(({ headers, body }, res: ServerResponse) => {
    const told = Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]);
    const request = new Request("http://origin/charges", { method: "POST", headers: told, body });
    void fence.handle(request, handler).then(async (answer) => {
      res.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    });
  });
  const windows: TelemetryWindow[] = [];
  const document = aDocument(origin.url, null);
  gateway = await aGateway(document, { onWindow: (window) => windows.push(window) });
  const post = async (key: string) => {
    const headers = { "idempotency-key": key, "x-user-id": "u1", "content-type": "text/plain" };
    const answer = await get(gateway.url, { method: "POST", path: "/charges", headers }, "5");
    expect(answer.headers["x-sluice-event"]).toBeUndefined();
    return answer.status;
  };
  await ask(post);
  await eventually(() => gateway.stats().inFlight === 0);
  gateway.adopt({ ...document, seq: 2 });
  return windows.at(-1)?.arms.stable.counters as Counters;
}

describe("what the fence tells the gateway", () => {
  it("GQ-29, ID-9: injected duplicates are counted as suppressed, effects once, and no effect twice", async () => {
    let applied = 0;
    const counters = await fenced(
      () => {
        applied++;
        return Response.json({ charge: applied });
      },
      async (post) => {
        for (let key = 0; key < 5; key++) {
          for (let delivery = 0; delivery < 4; delivery++) expect(await post(`k${key}`)).toBe(200);
        }
      },
    );
    expect(applied).toBe(5);
    const wanted = { effects: 5, repeatDeliveries: 15, suppressedDeliveries: 15, duplicateEffects: 0 };
    expect(counters).toEqual(wanted);
  });

  it("counts a delivery that met the first one still at work, and no answer that did nothing as an effect", async () => {
    let go: (() => void) | null = null;
    const counters = await fenced(
      async () => {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        return new Response("broken", { status: 500 });
      },
      async (post) => {
        const first = post("k");
        await eventually(() => go !== null);
        expect(await post("k")).toBe(409);
        go?.();
        expect(await first).toBe(500);
      },
    );
    expect(counters).toEqual({ effects: 0, repeatDeliveries: 1, suppressedDeliveries: 1, duplicateEffects: 0 });
  });

  it("keeps what the handler says of its answer, which a replay does not say again", async () => {
    const said = { "x-sluice-event": '{"cache":{"hit":true}}' };
    const counters = await fenced(
      () => new Response("ok", { headers: said }),
      async (post) => {
        await post("k");
        await post("k");
      },
    );
    expect(counters).toMatchObject({ effects: 1, suppressedDeliveries: 1, cacheLookups: 1, cacheHits: 1 });
  });
});
