import {
  durableObjectFence,
  FenceObject,
  type FenceNamespace,
} from "../../../src/drivers/fence/durable-object/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import { runCrashMatrix } from "../../../src/testing/fence-crash.ts";
import { fenceSuite } from "../../../src/testing/fence-suite.ts";

export { FenceObject };

const sleep = (ms: number) => systemClock.sleep(ms);

/** Runs inside workerd: `/` lists the cases, `/case/<n>` runs one, `/crash` runs the crash matrix. */
export default {
  async fetch(request: Request, env: { readonly FENCE: FenceNamespace }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const open = () => durableObjectFence({ namespace: env.FENCE, shards: 4 });
    if (pathname === "/") return Response.json(fenceSuite.map((one) => one.name));
    if (pathname === "/crash") {
      const plan = {
        seed: 5,
        events: Number(searchParams.get("events")),
        copies: 5,
        crashShare: 0.2,
        workers: 16,
        leaseMs: 300,
        prefix: "x",
      };
      return Response.json(await runCrashMatrix({ open, clock: systemClock, advance: sleep }, plan));
    }
    const one = fenceSuite[Number(pathname.replace("/case/", ""))];
    if (one === undefined) return new Response("no such case", { status: 404 });
    try {
      await one.run({ open, advance: sleep, prefix: crypto.randomUUID(), leaseMs: 300 });
      return new Response("passed");
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 });
    }
  },
};
