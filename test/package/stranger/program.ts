import { bp, compileRouteTable, overall } from "sluice/core";
import { postgresFence } from "sluice/drivers/fence/postgres";
import { createRouter, identifyByTrustedHeaders } from "sluice/edge";
import { effectKey, idempotency, memoryFence, once } from "sluice/fence";
import type { FenceStore } from "sluice/ports";
import { fenceConformance } from "sluice/testing";

const store: FenceStore = memoryFence();
const fence = idempotency({ store, scope: () => ({ tenant: "acme", principal: "ana", route: "/charges" }) });
let runs = 0;
const handle = fence.wrap(async (request) =>
  Response.json({ run: ++runs, sent: await request.json() }, { status: 201 }),
);
const ask = () =>
  handle(new Request("http://x/charges", { method: "POST", headers: { "idempotency-key": "k" }, body: '{"a":1}' }));
const statuses = [(await ask()).status, (await ask()).status];

const key = await effectKey({ tenant: "acme", sourceType: "order", sourceId: "1", revision: "1", action: "ship" });
const outcome = await once({ store }, { scope: "orders", key }, async () => "shipped");

const share: number = bp(2_500);
const entries = [compileRouteTable, createRouter, identifyByTrustedHeaders, overall, postgresFence, fenceConformance];
export const found = JSON.stringify({
  statuses,
  runs,
  outcome: outcome.kind,
  share,
  entries: entries.map((entry) => typeof entry),
});
