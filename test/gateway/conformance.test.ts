import { afterEach, describe, it } from "vitest";
import type { ServingArm } from "../../src/core/arm.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import { KeyRing } from "../../src/plane/key-ring.ts";
import type { Gateway } from "../../src/gateway/server.ts";
import { planeConformance, planeDocument, type PlaneWorld } from "../../src/testing/plane-suite.ts";
import { aGateway, anOrigin, get, type Origin } from "./world.ts";

const open: { gateway: Gateway; origin: Origin }[] = [];
afterEach(async () => {
  for (const { gateway, origin } of open.splice(0)) {
    await gateway.drain();
    await origin.close();
  }
});

async function world(publicKey: string): Promise<PlaneWorld> {
  const origin = await anOrigin();
  const first = JSON.stringify(planeDocument(1, 0)).replaceAll("http://127.0.0.1:9", origin.url);
  const keys = new KeyRing({ trusted: [publicKey], retired: [] });
  const gateway = await aGateway(JSON.parse(first) as RoutingDocument, { keys });
  open.push({ gateway, origin });
  return {
    endpoint: origin.url,
    offer: async (text) => (await gateway.offer(text)).kind,
    async ask(fields) {
      const { headers } = await get(gateway.url, { headers: ["host", "x", ...fields.flat()] });
      const arm = headers["x-sluice-arm"] as ServingArm;
      const toClient = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
      return { arm, toService: origin.seen.at(-1)?.raw ?? [], toClient };
    },
  };
}

describe("the gateway as a data plane", () => {
  planeConformance(world, it);
});
