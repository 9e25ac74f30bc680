import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { proxyPid, startProxy } from "../../../src/haproxy/proxy-process.ts";
import { gatewayHeard } from "../../cli/gateway-heard.ts";
import { inThisProcess } from "../../cli/sluice-in-process.ts";
import { freePort } from "../../free-port.ts";
import { hasHaproxy } from "../fence/servers.ts";
import { pause, SERVICE, Served } from "../served/world.ts";
import { isAlive } from "./world.ts";

const LEASE_MS = 2_000;
/** Random moments at which something is killed. */
const RUNS = Number(process.env["SLUICE_TEST_KILLS"] ?? 1);
/** Two looks of the proxy at the agent, each a tenth of the lease. */
const BOUND_MS = (2 * LEASE_MS) / 10;

let served: Served;

const isCandidate = async () => (await served.armNow()) === "candidate";
/** What the release answers that has the next user. */
const answer = async () => (await fetch(`http://127.0.0.1:${served.gatewayPort}/`)).text();

/** Ends the proxy and starts it as a supervisor would, by what lies on its disk. */
async function restartProxy(): Promise<void> {
  const folder = join(served.dataDir, `haproxy-${SERVICE}-${served.gatewayPort}`);
  const places = {
    program: "haproxy",
    configFile: join(folder, "haproxy.cfg"),
    masterSocket: join(folder, "master.sock"),
    pidFile: join(folder, "haproxy.pid"),
  };
  const pid = (await proxyPid(places)) ?? 0;
  process.kill(pid, "SIGTERM");
  await served.until("the end of HAProxy", () => Promise.resolve(!isAlive(pid)));
  await startProxy(places);
}

const everybodyBack = () => served.until("everybody on the candidate", isCandidate);

describe.skipIf(!hasHaproxy())("the lease on HAProxy, with everybody on the candidate", { timeout: 180_000 }, () => {
  beforeAll(async () => {
    served = await Served.open(LEASE_MS, inThisProcess, "haproxy");
    await served.everybodyOnCandidate("second");
  }, 60_000);
  afterAll(() => served.close());

  it("is over a lease after the controller was killed at a random moment, and back when one lives", async () => {
    for (let run = 0; run < RUNS; run++) {
      await pause(Math.random() * LEASE_MS);
      await served.controller.stop("SIGKILL");
      await served.stableAfterLease();
      await served.startController();
      await everybodyBack();
    }
  });

  it("is over two looks after the agent was killed, and the proxy answers everybody meanwhile", async () => {
    for (let run = 0; run < RUNS; run++) {
      await pause(Math.random() * LEASE_MS);
      await served.gateway.stop("SIGKILL");
      await served.stableAfterLease(BOUND_MS);
      await served.startGateway();
      await everybodyBack();
    }
  });

  it("is over as soon when the agent stands still, and nobody is failed when it goes on", async () => {
    served.gateway.child.kill("SIGSTOP");
    await served.stableAfterLease(BOUND_MS);
    served.gateway.child.kill("SIGCONT");
    expect(await served.armsUntil(everybodyBack)).not.toContain("null");
  });

  it("is never taken over a restart of the proxy itself: it serves stable alone until its agent has seen it", async () => {
    await served.gateway.stop("SIGKILL");
    await restartProxy();
    expect(await served.armsWithin(1_500)).toEqual(["stable"]);
    await served.startGateway();
    await everybodyBack();
    await restartProxy();
    await everybodyBack();
  });

  it("goes back in one command, and is needed by nobody once the candidate is the stable release", async () => {
    await served.must(0, "promote", "second", "--full", "--despite");
    await served.must(0, "promote", "second");
    await served.until("the promotion", async () => (await served.status("second")).phase === "promoted");
    expect(await answer()).toBe("candidate");
    await served.gateway.stop("SIGKILL");
    await restartProxy();
    expect(await answer()).toBe("candidate"); // What is stable now, by what lies on the proxy's disk.
    await served.startGateway();
    await served.must(0, "rollback", "second", "--reason", "test");
    await served.until("the way back", async () => (await answer()) === "stable");
  });
});

describe.skipIf(!hasHaproxy())("a rollout of which HAProxy carries the requests", { timeout: 180_000 }, () => {
  it("is stopped by what HAProxy told of a candidate that nobody can reach, and users are back on stable", async () => {
    const one = await Served.open(15_000, inThisProcess, "haproxy");
    let isOver = false;
    try {
      await gatewayHeard(one.controllerUrl, one.dataDir);
      const file = await one.document("dead", 50);
      const text = await readFile(file, "utf8");
      await writeFile(file, text.replace(/(candidate: \{ url: )"[^"]+"/, `$1"http://127.0.0.1:${await freePort()}"`));
      await one.must(0, "apply", file);
      const users = (async () => {
        while (!isOver) await Promise.all(Array.from({ length: 10 }, () => one.armNow()));
      })();
      await one.until("the way back", async () => (await one.status("dead")).phase === "rolled-back", 60_000);
      isOver = true;
      await users;
      expect(await one.must(0, "explain", "dead")).toContain("found no connection (ECONNREFUSED)");
      expect(await one.armsWithin(500)).toEqual(["stable"]);
    } finally {
      isOver = true;
      await one.close();
    }
  });
});
