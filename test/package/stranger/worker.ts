import { bp } from "sluice/core";
import { durableObjectFence, FenceObject, type FenceNamespace } from "sluice/drivers/fence/durable-object";
import { createRouter } from "sluice/edge";
import { idempotency } from "sluice/fence";

export { FenceObject };

export default {
  fetch(request: Request, env: { FENCE: FenceNamespace }): Promise<Response> {
    const scope = () => ({ tenant: "acme", principal: "ana", route: "/charges" });
    const fence = idempotency({ store: durableObjectFence({ namespace: env.FENCE }), scope });
    return fence.handle(request, () => Response.json({ share: bp(100), router: typeof createRouter }));
  },
};
