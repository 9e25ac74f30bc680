import { assert } from "../core/assert.ts";
import { DriverError } from "../ports/driver-error.ts";
import {
  bodies,
  bodiesOf,
  consumeAll,
  handOver,
  never,
  progressOf,
  type QueueCase,
  same,
  settleAll,
  startFirst,
} from "./queue-world.ts";

/** Resolves to the code of the DriverError that the work must reject with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert(error instanceof DriverError, `expected a DriverError, found ${error === null ? "no error" : String(error)}`);
  return error.code;
}

/** Name of the one case that a product waives whose workers stop by themselves. */
export const GIVES_NOTHING_WHEN_STOPPED = "gives nothing to a stopped consumer, whatever is produced, however often";

/** Consumers that take over from each other. */
export const moveCases: readonly QueueCase[] = [
  {
    name: "gives a consumer moved at P everything after P exactly once and nothing before, over 6 moves to and fro",
    async run(world) {
      const [queue, driver] = [await world.queue("to-and-fro"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      const settled: string[] = [];
      let arms: readonly [string, string] = ["blue", "green"];
      for (let round = 0; round < 6; round++) {
        await world.produce(queue, bodies(round * 7 + 1, round * 7 + 7));
        const given = await world.take(queue, arms[0], 4);
        settled.push(...bodiesOf(given));
        await settleAll(given);
        await handOver(driver, queue, arms, round + 2);
        arms = [arms[1], arms[0]];
      }
      settled.push(...(await consumeAll(world, queue, arms[0])));
      same(settled, bodies(1, 42), "everything, once, in order");
    },
  },
  {
    name: GIVES_NOTHING_WHEN_STOPPED,
    async run(world) {
      const [queue, driver] = [await world.queue("stopped"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      await world.produce(queue, bodies(1, 3));
      await settleAll(await world.take(queue, "blue", 1));
      for (const epoch of [2, 2, 3]) {
        await driver.stop(queue, "blue", epoch, never);
        await world.produce(queue, bodies(4, 5));
        same(bodiesOf(await world.take(queue, "blue", 9)), [], "given to a stopped consumer");
      }
      await driver.start(queue, "blue", { after: (await progressOf(driver, queue, "blue")).settled, epoch: 4 }, never);
      same((await consumeAll(world, queue, "blue")).slice(0, 2), ["2", "3"], "goes on where it stood");
    },
  },
  {
    name: "lets what was in flight when a consumer was stopped be settled, and counts it until it is",
    async run(world) {
      const [queue, driver] = [await world.queue("settled-later"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      await world.produce(queue, bodies(1, 6));
      const given = await world.take(queue, "blue", 4);
      const before = await progressOf(driver, queue, "blue");
      await driver.stop(queue, "blue", 2, never);
      same((await progressOf(driver, queue, "blue")).inFlight, 4, "in flight at the stop");
      await settleAll(given.slice(0, 3));
      same((await progressOf(driver, queue, "blue")).inFlight, 1, "in flight after three");
      await settleAll(given.slice(3));
      const after = await progressOf(driver, queue, "blue");
      same(after.inFlight, 0, "in flight after all");
      assert(!driver.reaches(before.settled, after.settled), "its settled position moved on while it was stopped");
      await driver.start(queue, "green", { after: after.settled, epoch: 2 }, never);
      same(await consumeAll(world, queue, "green"), ["5", "6"], "green goes on");
    },
  },
  {
    name: "gives what a stopped consumer never settled to the next one, so that nothing is lost",
    async run(world) {
      const [queue, driver] = [await world.queue("never-settled"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      await world.produce(queue, bodies(1, 10));
      await settleAll((await world.take(queue, "blue", 7)).slice(0, 4)); // The worker with 5, 6 and 7 is gone.
      await handOver(driver, queue, ["blue", "green"], 2);
      same(await consumeAll(world, queue, "green"), bodies(5, 10), "given to green");
      same((await progressOf(driver, queue, "green")).inFlight, 0, "in flight at the end");
    },
  },
  {
    name: "starts a consumer once per epoch: the same start again, after it went on, gives nothing twice",
    async run(world) {
      const [queue, driver] = [await world.queue("once"), await world.open("server")];
      await world.produce(queue, bodies(1, 5));
      await startFirst(driver, queue, "green", 7);
      await settleAll(await world.take(queue, "green", 2));
      await startFirst(await world.open("server"), queue, "green", 7);
      same(await consumeAll(world, queue, "green"), ["3", "4", "5"], "after the second start");
    },
  },
  {
    name: "lets one epoch stop a consumer and start it again where it stood, and refuses that epoch's stop after it",
    async run(world) {
      const [queue, driver] = [await world.queue("restart"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      await world.produce(queue, bodies(1, 5));
      await settleAll(await world.take(queue, "blue", 2));
      await handOver(driver, queue, ["blue", "blue"], 3);
      same(await codeOf(driver.stop(queue, "blue", 3, never)), "stale-token", "the stop again");
      same(await consumeAll(world, queue, "blue"), ["3", "4", "5"], "it goes on");
    },
  },
  {
    name: "refuses a start and a stop of a lower epoch, and they change nothing",
    async run(world) {
      const [queue, driver] = [await world.queue("late"), await world.open("server")];
      await world.produce(queue, bodies(1, 4));
      await startFirst(driver, queue, "blue", 5);
      await settleAll(await world.take(queue, "blue", 2));
      same(await codeOf(startFirst(driver, queue, "blue", 4)), "stale-token", "late start");
      same(await codeOf(driver.stop(queue, "blue", 4, never)), "stale-token", "late stop");
      same(await codeOf(driver.stop(queue, "blue", 5, never)), "stale-token", "stop by what started it");
      same(await consumeAll(world, queue, "blue"), ["3", "4"], "it goes on");
    },
  },
];
