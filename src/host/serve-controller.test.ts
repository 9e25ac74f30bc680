import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundleEntry } from "../../test/controller/bundle.ts";
import { type ChildController, endChild, startChild } from "../../test/controller/child.ts";
import { EMPTY_ARM_WINDOW, type TelemetryWindow } from "../core/window/window.ts";
import type { Status } from "../contract/status.ts";
import type { Bp, EpochMs } from "../core/unit.ts";
import { findController } from "./data-directory-lock.ts";

const limits = { timeout: 60_000 };
let program: string;
let dataDir: string;
let running: ChildController[] = [];

beforeAll(async () => {
  program = await bundleEntry("controller-process.ts");
});
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-serve-"));
});
afterEach(async () => {
  for (const { child } of running) await endChild(child, "SIGKILL");
  running = [];
  await rm(dataDir, { recursive: true, force: true });
});

async function start(limit = "", stallMs = 20_000): Promise<ChildController> {
  const controller = await startChild(program, dataDir, 0, limit, stallMs);
  running.push(controller);
  return controller;
}

describe("a controller process", () => {
  it("S6, S22: keeps its token to its owner, and answers nobody who came by another name", limits, async () => {
    const { url, token } = await start();
    expect(token).toMatch(/^[\w-]{43}$/);
    expect((await stat(join(dataDir, "token"))).mode & 0o777).toBe(0o600);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(url.replace("127.0.0.1", "localhost") + "/healthz")).status).toBe(200);
    expect((await fetch(`${url}/v1/rollouts`, { method: "POST" })).status).toBe(401);
  });

  it(
    "is found by its data directory, refuses a second one on it with 13, and ends with 0 on SIGTERM",
    limits,
    async () => {
      const { url, child, token } = await start();
      expect(await findController(dataDir)).toEqual({ apiUrl: url, pid: child.pid });
      const second = await startChild(program, dataDir, 0).catch((error: unknown) => String(error));
      expect(second).toContain(`ended with 13: taken by process ${child.pid} at ${url}`);
      const stream = await fetch(`${url}/v1/events`, {
        headers: { accept: "text/event-stream", authorization: `Bearer ${token}` },
      });
      expect(await endChild(child, "SIGTERM")).toBe(0);
      await stream.text().catch(() => "cut");
      expect(await findController(dataDir)).toBeNull();
    },
  );

  it("keeps the token over a restart and closes it again when somebody opened it", limits, async () => {
    const first = await start();
    await endChild(first.child, "SIGTERM");
    await chmod(join(dataDir, "token"), 0o644);
    const second = await start();
    expect(second.token).toBe(first.token);
    expect((await stat(join(dataDir, "token"))).mode & 0o777).toBe(0o600);
    await endChild(second.child, "SIGTERM");
    await writeFile(join(dataDir, "token"), "");
    const third = await startChild(program, dataDir, 0).catch((error: unknown) => String(error));
    expect(third).toMatch(/ended with 1: start failed: .*token is empty; expected a token of 43 characters; remove it/);
  });

  it("says that the port is taken, gives the directory up and starts on another", limits, async () => {
    const { url, child } = await start();
    const other = await mkdtemp(join(tmpdir(), "sluice-serve-"));
    const port = Number(new URL(url).port);
    const refused = await startChild(program, other, port).catch((error: unknown) => String(error));
    expect(refused).toMatch(/ended with 1: start failed: .*EADDRINUSE/);
    expect(child.exitCode).toBeNull();
    const again = await startChild(program, other, 0);
    running.push(again);
    expect((await fetch(`${again.url}/healthz`)).status).toBe(200);
    await endChild(again.child, "SIGKILL");
    await rm(other, { recursive: true, force: true });
  });

  it(
    "ends by itself and says so when files may not grow; what it had acknowledged is there again",
    limits,
    async () => {
      const first = await start();
      await postJson(first, "/v1/telemetry", push(0), null);
      expect(await postJson(first, "/v1/rollouts", applied, "apply")).toBe(201);
      expect(await postJson(first, "/v1/telemetry", push(1), null)).toBe(200);
      await endChild(first.child, "SIGTERM");
      const small = await start("ulimit -f 8192;", 4_000);
      let acked = 1;
      for (let seq = 2; seq < 4_000; seq++) {
        const status = await postJson(small, "/v1/telemetry", push(seq), null).catch(() => 0);
        if (status !== 200) break;
        acked = seq;
      }
      if (small.child.exitCode === null && small.child.signalCode === null) await once(small.child, "exit");
      expect(small.child.exitCode).not.toBe(0);
      expect(small.said()).toMatch(/disk is full or files may not grow.*free space and start again/);
      const last = await start();
      const reading = { headers: { authorization: `Bearer ${last.token}` } };
      const status = (await (await fetch(`${last.url}/v1/rollouts/full-disk-1`, reading)).json()) as Status;
      expect(acked).toBeGreaterThan(1);
      expect(status.traffic.requests).toEqual({ stable: 10 * acked, candidate: 0 });
      const journal = await (await fetch(`${last.url}/v1/rollouts/full-disk-1/journal`, reading)).json();
      expect((journal as { entries: unknown[] }).entries.length).toBeGreaterThan(0);
    },
  );
});

const applied = {
  document: `apiVersion: sluice/v1
kind: Rollout
metadata: { name: full-disk-1 }
spec:
  service: support-rag
  stable: { url: "http://127.0.0.1:9/stable", health: null }
  candidate: { url: "http://127.0.0.1:9/candidate", health: null }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  gates: [{ use: default }]
`,
  file: "rollout.yaml",
  gold_digest: "",
  paths: { set: null, map: null, corpus: null },
};

/** A telemetry push of one window with 10 requests, all on stable. */
function push(seq: number) {
  const arms = { stable: { ...EMPTY_ARM_WINDOW, requests: 10, requestsAll: 10 }, candidate: EMPTY_ARM_WINDOW };
  const window: TelemetryWindow = {
    gatewayId: "g1",
    service: "support-rag",
    seq,
    startMs: 1_800_000_000_000 as EpochMs,
    endMs: 1_800_000_000_250 as EpochMs,
    document: { epoch: 0, seq: 0 },
    candidateBp: 0 as Bp,
    arms,
    gatewayFailures: 0,
  };
  return { gateway_id: "g1", windows: [window], adopted: { epoch: 0, seq: 0 } };
}

async function postJson(controller: ChildController, path: string, body: object, key: string | null): Promise<number> {
  const headers = { authorization: `Bearer ${controller.token}`, ...(key === null ? {} : { "idempotency-key": key }) };
  const response = await fetch(controller.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
}
