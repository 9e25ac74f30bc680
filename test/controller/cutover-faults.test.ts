import { describe, expect, it } from "vitest";
import { DriverError } from "../../src/ports/driver-error.ts";
import { type Cutover, servesNow } from "../../src/core/cutover/machine.ts";
import { FaultWorld } from "./cutover-faults-world.ts";

/** How it ended: phase, who serves, where the index's name points, who consumes, and why it went back. */
async function endOf(world: FaultWorld) {
  const { saga, ...rest } = (await world.stored()) as Cutover;
  const { consumer, phase } = (await world.queue.driver.readPointer("jobs", AbortSignal.timeout(1_000))) ?? {
    consumer: "blue",
    phase: "acting",
  };
  const serves = servesNow({ saga, ...rest });
  return {
    phase: saga.phase,
    serves,
    alias: world.alias,
    consumer: `${consumer} ${phase}`,
    cause: saga.cause?.text ?? "",
  };
}

const GREEN = { phase: "done", serves: "candidate", alias: "docs_vb", consumer: "green acting", cause: "" };
const BLUE = { phase: "returned", serves: "stable", alias: "docs_va", consumer: "blue acting" };
const backBy = (cause: RegExp) => ({ ...BLUE, cause: expect.stringMatching(cause) as string });

describe("faults of a cutover, planted in fakes of its products", () => {
  it("none: everything moves, each message is settled once", async () => {
    const world = await new FaultWorld().live();
    await world.finish();
    expect(await endOf(world)).toEqual(GREEN);
    expect(world.odd()).toEqual([]);
    expect([...world.settledBy.values()].flat().filter((by) => by === "green").length).toBeGreaterThan(5);
  });

  it("mixed cache prefixes: prime-cache finds stable's entry under the candidate's namespace, and all goes back", async () => {
    const world = new FaultWorld(["q0"]);
    world.writtenBy = "r-stable";
    await world.live();
    expect(await endOf(world)).toEqual(backBy(/^prime-cache failed: .*poisoned.*was written by r-stable/));
  });

  it("alias flip acknowledged but not visible: swap-index reads the name back, and all goes back", async () => {
    const world = new FaultWorld();
    world.index = (aliases) => ({
      ...aliases,
      flip: async (flip, signal) => (flip.to === "docs_vb" ? { kind: "moved" } : aliases.flip(flip, signal)),
    });
    await world.live();
    expect(await endOf(world)).toEqual(backBy(/^swap-index failed: .*docs_live points to docs_va.*expected docs_vb/));
  });

  it("store without alias written twice: swap-index is refused by compare-and-set, nothing of the other writer is undone", async () => {
    const world = new FaultWorld();
    world.index = (aliases) => ({
      ...aliases,
      flip: (flip, signal) => {
        if (flip.to === "docs_vb")
          world.indexes.aliases.set("docs_live", { index: "docs_vc", epoch: 0, previous: "docs_va" });
        return aliases.flip(flip, signal);
      },
    });
    await world.live();
    const { phase, alias, serves, cause } = await endOf(world);
    // Where somebody else moved the name a person has to say what is right: it is no way back to move it once more.
    expect([phase, alias, serves]).toEqual(["stuck", "docs_vc", "stable"]);
    expect(cause).toMatch(/swap-index could not be taken back: .*docs_live points to docs_vc, expected docs_vb/);
  });

  it("purge acknowledgement lost: the purge is asked for again, read back and done", async () => {
    const world = new FaultWorld();
    let lost = 0;
    world.cache = (driver) => ({
      ...driver,
      async purge(namespace, keys, signal) {
        const count = await driver.purge(namespace, keys, signal);
        if (namespace === "blue:" && lost++ === 0)
          throw new DriverError("unreachable", "safe", "the connection was cut before the answer came");
        return count;
      },
    });
    await world.live();
    expect(await endOf(world)).toEqual(GREEN);
    expect(lost).toBeGreaterThan(1);
    expect([...world.entries.keys()].filter((key) => key.startsWith("blue:"))).toEqual([]);
  });

  it("purge acknowledged and not done: purge-cache reads what is left, and all goes back", async () => {
    const world = new FaultWorld();
    world.cache = (driver) => ({
      ...driver,
      purge: async (namespace, keys, signal) => (namespace === "blue:" ? 20 : driver.purge(namespace, keys, signal)),
    });
    await world.live();
    expect(await endOf(world)).toEqual(backBy(/^purge-cache failed: /));
  });

  it("producer switched late: what it still writes to blue's queue is worked on by green, once", async () => {
    const world = new FaultWorld();
    world.producesTo = "jobs.blue";
    await world.live();
    await world.finish();
    expect(await endOf(world)).toEqual(GREEN);
    expect(world.odd()).toEqual([]);
    expect(world.settledBy.get(`m${world.produced - 1}`)).toEqual(["green"]);
  });

  it("blue consumer asleep with messages in hand: drain-queue says no, all goes back, and it settles them once", async () => {
    const world = new FaultWorld();
    await world.begin();
    await world.work();
    await world.work();
    world.asleep.add("blue");
    for (let moment = 0; moment < 600 && !(await isOver(world)); moment++) await world.moment();
    expect(await endOf(world)).toEqual(
      backBy(/^drain-queue failed: .*blue has not settled what came before the watermark/),
    );
    world.asleep.delete("blue");
    await world.finish();
    expect(world.odd()).toEqual([]);
  });

  it("blue consumer resumed after takeover: the queue gives it nothing, and its pointer obeys no lower epoch", async () => {
    const world = await new FaultWorld().live();
    const epoch = (await world.queue.driver.readPointer("jobs", AbortSignal.timeout(1_000)))?.epoch ?? 0;
    world.queue.produce("jobs.blue", ["late"]);
    expect(world.queue.take("jobs.blue", "blue", 9)).toEqual([]);
    const resumed = world.queue.driver.start(
      "jobs.blue",
      "blue",
      { after: {}, epoch: epoch - 5 },
      AbortSignal.timeout(1_000),
    );
    await expect(resumed).rejects.toMatchObject({ code: "stale-token" });
    expect(await endOf(world)).toEqual(GREEN);
  });

  it("two writers: whoever keeps its leave for itself is refused by what it writes to", async () => {
    const world = new FaultWorld();
    const sink = { highest: 0, accepted: [] as string[], refused: 0 };
    const write = (release: string, token: number): void => {
      if (token < sink.highest) sink.refused++;
      else [sink.highest] = [token, sink.accepted.push(release)];
    };
    let question = 0;
    const ask = (release: string) =>
      world.cutovers.grants.ask(world.plan.service, {
        role: "producer",
        release,
        worker: `rogue ${release}`,
        isActing: true,
        question: ++question,
      });
    await world.begin();
    let kept: number | null = null;
    for (let moment = 0; moment < 600 && !(await isOver(world)); moment++) {
      await world.moment();
      // Stable's writer asks until it has leave, then never again and goes on writing.
      if (kept === null) {
        const leave = await ask("r-stable");
        if (leave.acts) kept = leave.token;
      }
      const green = await ask("r-candidate");
      if (green.acts) write("r-candidate", green.token);
      write("r-stable", kept ?? 0);
    }
    expect(await endOf(world)).toEqual(GREEN);
    expect(sink.refused).toBeGreaterThan(3);
    expect(sink.accepted.at(-1)).toBe("r-candidate");
    expect(sink.accepted.lastIndexOf("r-stable")).toBeLessThan(sink.accepted.indexOf("r-candidate"));
  });
});

const isOver = async (world: FaultWorld) =>
  ["done", "returned", "stuck"].includes(((await world.stored()) as Cutover | null)?.saga.phase ?? "");
