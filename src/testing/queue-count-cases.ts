import { assert } from "../core/assert.ts";
import {
  bodies,
  bodiesOf,
  consumeAll,
  type GivenMessage,
  handOver,
  never,
  progressOf,
  type QueueCase,
  same,
  settleAll,
  startFirst,
} from "./queue-world.ts";

const MANY = 30_000;
/** What the calls about a queue of `MANY` messages may receive together: no trace of one message each. */
const RECEIVED_BYTES_MAX = 65_536;
const STEPS = 60;

/** A sequence of numbers 0..below-1 that is the same every time. @source Numerical Recipes' 32-bit LCG constants */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What a queue says of its messages, and what that adds up to. */
export const countCases: readonly QueueCase[] = [
  {
    name: "conserves: produced = settled + in flight + waiting, at every step of produce, take, settle and move",
    async run(world) {
      const [queue, driver, draw] = [await world.queue("conserved"), await world.open("server"), draws(7)];
      await startFirst(driver, queue, "blue");
      let arms: readonly [string, string] = ["blue", "green"];
      let [produced, moves] = [0, 0];
      const [settled, open]: [string[], GivenMessage[]] = [[], []];
      for (let step = 0; step < STEPS; step++) {
        const choice = draw(8);
        if (choice < 3) await world.produce(queue, bodies(produced + 1, (produced += 1 + draw(5))));
        else if (choice < 5) open.push(...(await world.take(queue, arms[0], 1 + draw(3))));
        else {
          const done = open.splice(0, choice < 7 ? 1 : open.length);
          await settleAll(done);
          settled.push(...bodiesOf(done));
          if (choice === 7) {
            await handOver(driver, queue, arms, 2 + moves++);
            arms = [arms[1], arms[0]];
          }
        }
        const { inFlight, waiting } = await progressOf(driver, queue, arms[0]);
        same([inFlight, waiting], [open.length, produced - settled.length - open.length], `counts at step ${step}`);
      }
      assert(
        moves > 2 && settled.length > 10,
        `the script moves and settles: ${moves} moves, ${settled.length} settled`,
      );
      await settleAll(open);
      settled.push(...bodiesOf(open), ...(await consumeAll(world, queue, arms[0])));
      same(settled, bodies(1, produced), "everything, once, in order");
    },
  },
  {
    name: "settles a position only when everything up to it is settled, in whatever order workers settle",
    async run(world) {
      const [queue, driver] = [await world.queue("order"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      await world.produce(queue, bodies(1, 2));
      const second = await driver.end(queue, never);
      await world.produce(queue, ["3"]);
      const third = await driver.end(queue, never);
      const given = await world.take(queue, "blue", 3);
      await given[2]?.settle();
      await given[0]?.settle();
      const gap = await progressOf(driver, queue, "blue");
      assert(!driver.reaches(gap.settled, second), "1 and 3 are settled, 2 is not");
      same(gap.inFlight, 1, "in flight");
      await given[1]?.settle();
      const whole = await progressOf(driver, queue, "blue");
      assert(driver.reaches(whole.settled, third), "all three are settled");
      assert(!driver.reaches(second, third) && driver.reaches(third, second), "positions compare");
    },
  },
  {
    name: "finds messages that come to the old queue after the watermark",
    async run(world) {
      const [queue, driver] = [await world.queue("watermark"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      await world.produce(queue, bodies(1, 3));
      const mark = await driver.end(queue, never);
      same(await consumeAll(world, queue, "blue"), bodies(1, 3), "up to the watermark");
      const reached = await progressOf(driver, queue, "blue");
      assert(driver.reaches(reached.settled, mark), "the watermark is reached");
      same([reached.inFlight, reached.waiting], [0, 0], "drained");
      await world.produce(queue, bodies(4, 5));
      const late = await progressOf(driver, queue, "blue");
      same([late.inFlight, late.waiting], [0, 2], "two came late");
      assert(driver.reaches(late.settled, mark), "the watermark stays reached");
      assert(!driver.reaches(late.settled, await driver.end(queue, never)), "the end is past what is settled");
    },
  },
  {
    name: "reaches the end of an empty queue, says null of an unknown consumer, and of a queue that was emptied 0",
    async run(world) {
      const [queue, driver] = [await world.queue("empty"), await world.open("server")];
      same(await driver.progress(queue, "nobody", never), null, "unknown consumer");
      const mark = await driver.end(queue, never);
      await startFirst(driver, queue, "blue");
      const found = await progressOf(driver, queue, "blue");
      same([found.inFlight, found.waiting, driver.reaches(found.settled, mark)], [0, 0, true], "empty queue");
      await driver.stop(queue, "blue", 2, never);
      const stopped = await progressOf(driver, queue, "blue");
      same([stopped.inFlight, stopped.waiting, driver.reaches(stopped.settled, mark)], [0, 0, true], "stopped");
    },
  },
  {
    name: `holds nothing per message: ${MANY} of them are counted and handed over in under ${RECEIVED_BYTES_MAX} bytes`,
    async run(world) {
      const [queue, driver] = [await world.queue("many"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      await world.produce(queue, bodies(1, MANY));
      await settleAll(await world.take(queue, "blue", 3));
      const before = world.receivedBytes();
      const mark = await driver.end(queue, never);
      const found = await progressOf(driver, queue, "blue");
      same([found.inFlight, found.waiting, driver.reaches(found.settled, mark)], [0, MANY - 3, false], "of blue");
      await handOver(driver, queue, ["blue", "green"], 2);
      same((await progressOf(driver, queue, "green")).waiting, MANY - 3, "waiting for green");
      const received = world.receivedBytes() - before;
      assert(received > 0 && received < RECEIVED_BYTES_MAX, `received ${received} bytes`);
      same(bodiesOf(await world.take(queue, "green", 2)), ["4", "5"], "green goes on");
    },
  },
];
