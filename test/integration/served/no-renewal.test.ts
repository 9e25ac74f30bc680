import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, it } from "vitest";
import { Served } from "./world.ts";

const LEASE_MS = 1_500;
/** A controller that cannot write gives no lease after half of its ownership. */
const HALF_OWNERSHIP_MS = 5_000;

let served: Served;
beforeAll(async () => {
  served = await Served.open(LEASE_MS);
  await served.everybodyOnCandidate("second");
}, 60_000);
afterAll(() => served.close());

const isCandidate = async () => (await served.armNow()) === "candidate";

describe("a lease is renewed by nobody but the controller that owns the store and can write to it", () => {
  it("not by one that is stopped; it gives leases again when it goes on", async () => {
    served.controller.child.kill("SIGSTOP");
    await served.stableAfterLease();
    served.controller.child.kill("SIGCONT");
    await served.until("everybody on the candidate", isCandidate);
  }, 180_000);

  it("not by one whose store is down, later than half of its ownership", async () => {
    const { pid } = served.controller.child;
    if (spawnSync("prlimit", ["--pid", String(pid), "--fsize=0:0"]).status !== 0) return; // Not on this system.
    await served.stableAfterLease(HALF_OWNERSHIP_MS + LEASE_MS);
    await served.controller.stop("SIGKILL");
    await served.startController();
    await served.until("everybody on the candidate", isCandidate);
  }, 180_000);
});
