import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { bundleEntry } from "../../../controller/bundle.ts";
import { endChild, startHealth } from "../../../controller/child.ts";
import { Operator } from "../../../controller/edge.ts";
import { liveThroughKills } from "../../../controller/kill-story.ts";
import { hasPostgres, startPostgres } from "../../fence/servers.ts";

const KILLS = Number(process.env["SLUICE_TEST_KILLS"] ?? 7);
const SEED = Number(process.env["SLUICE_TEST_SEED"] ?? 7);

describe.skipIf(!hasPostgres())("a controller process on PostgreSQL that is killed", { timeout: 600_000 }, () => {
  it(`I6, I7, I8, I10, I20: ends every rollout, loses nothing and doubles nothing under ${KILLS} kills -9`, async () => {
    const [server, health, operator] = [await startPostgres(), await startHealth(), new Operator()];
    const dataDir = await mkdtemp(join(tmpdir(), "sluice-kill-"));
    try {
      const program = await bundleEntry("controller-process.ts");
      const tale = { program, dataDir, healthUrl: health.url, kills: KILLS, seed: SEED, operator };
      await liveThroughKills({ ...tale, store: [server.url] });
    } finally {
      if (operator.controller !== null) await endChild(operator.controller.child, "SIGKILL");
      health.server.close();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
