import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cutProxy, type CutProxy } from "../../../bench/partition/cut-proxy.mjs";
import { Served } from "./world.ts";

const isOn = (served: Served, arm: string) => async () => (await served.armNow()) === arm;

/** The controller at an address has heard of the gateway since it started. */
async function isHeard(served: Served, url?: string): Promise<boolean> {
  const { gateways } = await served.api<{ gateways: { silent_ms: number | null }[] }>("/v1/gateways", url);
  return typeof gateways[0]?.silent_ms === "number";
}

describe("a controller that is killed and started again within the lease", () => {
  let served: Served;
  beforeAll(async () => {
    served = await Served.open(15_000);
    await served.everybodyOnCandidate("second");
  }, 180_000);
  afterAll(() => served.close());

  it("moves nobody", async () => {
    const met = served.armsUntil(async () => {
      await served.controller.stop("SIGKILL");
      await served.startController();
      await served.until("the gateway heard again", () => isHeard(served));
    });
    expect(await met).toEqual(["candidate"]);
  }, 180_000);
});

describe("a controller that was deposed", () => {
  let served: Served;
  let proxy: CutProxy;
  beforeAll(async () => {
    served = await Served.open(3_000);
    proxy = await cutProxy(served.controllerUrl);
    await served.gateway.stop("SIGKILL");
    await served.startGateway("--controller", proxy.url);
    await served.everybodyOnCandidate("second");
  }, 180_000);
  afterAll(async () => {
    proxy.close();
    await served.close();
  });

  it("renews no lease once the data plane has heard of its successor, whose lease counts", async () => {
    const [file, elsewhere] = [served.path("backup.gz"), served.path("elsewhere")];
    await served.must(0, "backup", file);
    expect((await served.run("restore", file, "--data", elsewhere)).code).toBe(0);
    const successor = await served.startAnother(elsewhere);
    proxy.aim(successor.url);
    await served.until("a lease of the successor", async () => {
      return (await isHeard(served, successor.url)) && (await isOn(served, "candidate")());
    });
    expect(await served.armsWithin(3_500)).toEqual(["candidate"]);
    proxy.aim(served.controllerUrl); // It knows of nothing: its own database was never touched.
    await served.stableAfterLease();
    proxy.aim(successor.url);
    await served.until("everybody on the candidate", isOn(served, "candidate"));
  }, 180_000);
});
