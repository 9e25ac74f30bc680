import { chmod, readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inThisProcess } from "../../cli/sluice-in-process.ts";
import { Served, SERVICE } from "./world.ts";

let served: Served;
beforeAll(async () => {
  served = await Served.open(5_000, inThisProcess);
  await served.everybodyOnCandidate("second");
}, 60_000);
afterAll(() => served.close());

const isStable = async () => (await served.armNow()) === "stable";
const isCandidate = async () => (await served.armNow()) === "candidate";

describe("a person's word at a gateway", () => {
  it("serves stable alone at once, is told to the controller, which pauses the rollout, and outlives a restart", async () => {
    expect(await served.must(0, "gateway", "stable", "--service", SERVICE)).toContain("serves stable alone");
    expect(await served.armsWithin(500)).toEqual(["stable"]);
    await served.until("the pause", async () => (await served.status("second")).paused);
    expect(await served.must(0, "gateways")).toContain("a person set it to stable");
    await served.gateway.stop("SIGKILL");
    await served.startGateway();
    expect(await served.armsWithin(1_500)).toEqual(["stable"]);
  }, 180_000);

  it("lets a way back be confirmed, is not ended by it, and ends with a generation that a person orders", async () => {
    await served.must(0, "abort", "second", "--reason", "no good");
    await served.until("the end", async () => (await served.status("second")).phase === "aborted");
    expect(await served.must(0, "gateways")).toContain("a person set it to stable");
    await served.must(0, "retry", "second");
    await served.until("everybody on the candidate", isCandidate);
  }, 180_000);

  it("needs no controller: given while it is dead, ended by follow, and SIGUSR2 says the same", async () => {
    await served.controller.stop("SIGKILL");
    const atMs = performance.now();
    await served.must(0, "gateway", "stable", "--service", SERVICE);
    expect(await isStable()).toBe(true);
    expect(performance.now() - atMs).toBeLessThan(20_000); // It waits for nobody.
    await served.startController();
    await served.must(0, "gateway", "follow", "--service", SERVICE);
    await served.until("everybody on the candidate", isCandidate);
    served.gateway.child.kill("SIGUSR2");
    await served.until("everybody on stable", isStable);
    await served.must(0, "gateway", "follow", "--service", SERVICE);
  }, 180_000);

  it("is refused where no gateway of the service runs, and where the directory may not be written", async () => {
    expect(await served.must(1, "gateway", "stable", "--service", "other")).toContain("no gateway of service other");
    const mine = (await readdir(served.dataDir)).filter((name) => name.endsWith(".running"));
    expect(mine).toEqual([`gateway-${SERVICE}-${served.gatewayPort}.running`]);
    if (process.getuid?.() === 0) return; // Root may write everywhere.
    await chmod(served.dataDir, 0o500);
    const said = await served.must(1, "gateway", "stable", "--service", SERVICE);
    await chmod(served.dataDir, 0o700);
    expect(said).toContain("EACCES");
  }, 180_000);

  it("is not listed any more once it ended, and what a killed one left is removed", async () => {
    await served.gateway.stop("SIGKILL");
    expect(await served.must(1, "gateway", "stable", "--service", SERVICE)).toContain("no gateway of service");
    expect((await readdir(served.dataDir)).filter((name) => /\.(running|order)$/.test(name))).toEqual([]);
  }, 180_000);
});
