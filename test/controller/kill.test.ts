import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "vitest";
import { bundleEntry } from "./bundle.ts";
import { endChild, startHealth } from "./child.ts";
import { Operator } from "./edge.ts";
import { liveThroughKills } from "./kill-story.ts";

const KILLS = Number(process.env["SLUICE_TEST_KILLS"] ?? 7);
const SEED = Number(process.env["SLUICE_TEST_SEED"] ?? 7);

let dataDir: string;
let health: { readonly server: Server; readonly url: string };
let operator: Operator;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-kill-"));
  health = await startHealth();
  operator = new Operator();
});
afterEach(async () => {
  if (operator.controller !== null) await endChild(operator.controller.child, "SIGKILL");
  health.server.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe("a controller process that is killed", () => {
  const limits = { timeout: 600_000 };
  it(
    `I6, I7, I8, I10, I20: ends every rollout, loses nothing and doubles nothing under ${KILLS} kills -9`,
    limits,
    async () => {
      const program = await bundleEntry("controller-process.ts");
      const tale = { program, dataDir, healthUrl: health.url, kills: KILLS, seed: SEED, operator };
      await liveThroughKills(tale);
    },
  );
});
