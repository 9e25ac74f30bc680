import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../../src/core/stats/random.ts";
import { aGate } from "../../builders.ts";
import { check, live, STORIES, type Story } from "../../controller/crash-story.ts";
import type { Life } from "../../controller/life.ts";
import { type Place, pglitePlace, postgresPlace, quiet } from "../../controller/places.ts";
import { shortPlan, World } from "../../controller/world.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../fence/servers.ts";

/** A test of the suite in `test/controller` has a database in memory; these have real ones. */
const PRODUCTS = ["pglite", ...(hasPostgres() ? ["postgres"] : [])] as const;
/** Deaths at every how many points: each takes a second or so on a busy machine. */
const EVERY = 16;

describe.each(PRODUCTS)("a controller on %s", { timeout: 300_000 }, (product) => {
  let place: Place;
  let folder: string;
  let server: PostgresServer | null = null;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-places-"));
    if (product === "pglite") place = await pglitePlace(join(folder, "database"));
    else {
      server = await startPostgres();
      place = await postgresPlace(server.url);
    }
  });
  afterAll(async () => {
    await place.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(STORIES.map((story) => [story.name, story] as const))(
    "I6, I7, I10: carries %s to its end after a death at every sixteenth point",
    async (_, story: Story) => {
      const [whole] = (await live(story, [], place)).lives as [Life];
      for (let dieAt = 1; dieAt <= whole.passed; dieAt += EVERY) await check(story, [dieAt], place);
    },
  );

  it("I20: ends a failing candidate after up to 5 deaths at seeded points, 8 times", async () => {
    const random = randomStream(11);
    for (let run = 0; run < 8; run++) {
      const deaths = Array.from({ length: 1 + Math.floor(random() * 5) }, () => 1 + Math.floor(random() * 30));
      await check(STORIES[1] as Story, deaths, place);
    }
  });

  it("keeps the pointer of a promoted release over a restart, and moves it back with a rollback", async () => {
    await place.empty();
    const { settle, watched } = quiet();
    const open = () => watched(place.open());
    const world = await new World(open(), undefined, settle).open();
    const phaseOf = (id: string) => world.controller.rollout(id)?.rollout.phase;
    await world.run(2);
    const begin = async (rolloutId: string) => {
      expect((await world.controller.apply(shortPlan({ rolloutId, gates: [aGate("parity")] }))).kind).toBe("accepted");
      for (let quarter = 0; quarter < 80 && phaseOf(rolloutId) !== "promoted"; quarter++) await world.quarter();
      expect(phaseOf(rolloutId)).toBe("promoted");
    };
    await begin("one");
    const pointer = world.controller.pointers.of("support-rag");
    expect(pointer?.since.process).toBe("one");
    await world.controller.stop();
    await world.open((options) => ({ ...options, store: open() }));
    expect(world.controller.pointers.of("support-rag")).toEqual(pointer);
    await world.controller.command("one", { command: "rollback", full: false, by: "ann", reason: "" });
    await world.run(8);
    expect([phaseOf("one"), world.gateway.document.candidateBp]).toEqual(["rolled-back", 0]);
    const history = await world.controller.store.pointerHistory("support-rag");
    expect(history.map(({ cause }) => cause)).toEqual(["created", "promoted", "rolled-back"]);
    await world.controller.stop();
  });
});
