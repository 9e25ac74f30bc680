import { afterEach, describe, it } from "vitest";
import type { ServingArm } from "../../../src/core/arm.ts";
import type { RoutingDocument } from "../../../src/core/routing/document.ts";
import { KeyRing } from "../../../src/plane/key-ring.ts";
import { planeConformance, planeDocument, type PlaneWorld } from "../../../src/testing/plane-suite.ts";
import { anOrigin, get, type Origin } from "../../gateway/world.ts";
import { hasHaproxy } from "../fence/servers.ts";
import { type RunningPlane, startPlane } from "./world.ts";

const open: { plane: RunningPlane; origin: Origin }[] = [];
afterEach(async () => {
  for (const { plane, origin } of open.splice(0)) {
    await plane.end();
    await origin.close();
  }
});

async function world(publicKey: string): Promise<PlaneWorld> {
  const origin = await anOrigin();
  const first = JSON.stringify(planeDocument(1, 0)).replaceAll("http://127.0.0.1:9", origin.url);
  const keys = new KeyRing({ trusted: [publicKey], retired: [] });
  const plane = await startPlane(JSON.parse(first) as RoutingDocument, { keys });
  open.push({ plane, origin });
  return {
    endpoint: origin.url,
    offer: async (text) => (await plane.agent.offer(text)).kind,
    async ask(fields) {
      const { headers } = await get(plane.url, { headers: ["host", "x", ...fields.flat()] });
      const arm = headers["x-sluice-arm"] as ServingArm;
      const toClient = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
      return { arm, toService: origin.seen.at(-1)?.raw ?? [], toClient };
    },
  };
}

describe.skipIf(!hasHaproxy())("HAProxy with its agent as a data plane", { timeout: 60_000 }, () => {
  planeConformance(world, it);
});
