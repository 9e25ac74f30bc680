import { assert } from "../core/assert.ts";
import { codeOf } from "./queue-move-cases.ts";
import type { PointerMoveResult, QueueDriver } from "../ports/queue.ts";
import { never, pointerRecord, type QueueCase, same, startFirst } from "./queue-world.ts";

const RACERS = 20;

/** A mover of one epoch, with a signal of its own. */
function race(driver: QueueDriver, name: string, consumer: string): Promise<PointerMoveResult> {
  return driver.movePointer(name, pointerRecord({ epoch: 3, consumer }), new AbortController().signal);
}

/** One call of every method that talks, with the signal. */
function everyCall(driver: QueueDriver, queue: string, signal: AbortSignal): readonly (() => Promise<unknown>)[] {
  return [
    () => driver.end(queue, signal),
    () => driver.progress(queue, "blue", signal),
    () => driver.stop(queue, "blue", 9, signal),
    () => driver.start(queue, "blue", { after: {}, epoch: 9 }, signal),
    () => driver.readPointer(queue, signal),
    () => driver.movePointer(queue, pointerRecord(), signal),
  ];
}

/** The one record, and conversations that fail. */
export const pointerCases: readonly QueueCase[] = [
  {
    name: "keeps the record whole, and says null of one that was never moved",
    async run(world) {
      const [name, driver] = [await world.queue("record"), await world.open("server")];
      same(await driver.readPointer(name, never), null, "never moved");
      const upTo = { "0": "7", 'b"\\': "8-1" };
      const from = { 'j"2': {}, jobs: upTo };
      const record = pointerRecord({ watermark: { process: "c-1/2", upTo: from }, from, epoch: 2 ** 45 });
      same(await driver.movePointer(name, record, never), { kind: "moved" }, "first move");
      const found = await (await world.open("server")).readPointer(name, never);
      assert(found !== null, "read back");
      same(Object.entries(found).sort(), Object.entries(record).sort(), "read back by another handle");
    },
  },
  {
    name: "takes a later (epoch, step) alone, and the same record again",
    async run(world) {
      const [name, driver] = [await world.queue("compare"), await world.open("server")];
      const between = pointerRecord({ epoch: 9, step: 1, phase: "stopping" });
      const tries = [
        [between, "moved"],
        [between, "moved"],
        [pointerRecord({ epoch: 9, step: 1 }), "refused"],
        [pointerRecord({ epoch: 9, step: 0 }), "refused"],
        [pointerRecord({ epoch: 8, step: 5 }), "refused"],
        [pointerRecord({ epoch: 9, step: 2, consumer: "green" }), "moved"],
        [between, "refused"],
        [pointerRecord({ epoch: 10 }), "moved"],
      ] as const;
      for (const [record, kind] of tries) {
        const answer = await driver.movePointer(name, record, never);
        same(answer.kind, kind, `move to (${record.epoch}, ${record.step})`);
        if (answer.kind === "refused") same(answer.found, await driver.readPointer(name, never), "what stands there");
      }
      same((await driver.readPointer(name, never))?.epoch, 10, "at the end");
    },
  },
  {
    name: `lets one of ${RACERS} movers of one epoch win, and tells the others whose record is there`,
    async run(world) {
      const [name, one, two] = [await world.queue("race"), await world.open("server"), await world.open("server")];
      const moves = Array.from({ length: RACERS }, (_, racer) =>
        race(racer % 2 === 0 ? one : two, name, `racer-${racer}`),
      );
      const answers = await Promise.all(moves);
      const winners = answers.flatMap(({ kind }, racer) => (kind === "moved" ? [`racer-${racer}`] : []));
      same(winners.length, 1, "movers that won");
      const found = answers.flatMap((answer) => (answer.kind === "refused" ? [answer.found?.consumer] : []));
      same([...new Set(found)], winners, "what the others found");
    },
  },
  {
    name: "rejects with DriverError `unreachable` when the server is away, whatever is asked",
    async run(world) {
      const [queue, driver] = [await world.queue("away"), await world.open("nobody")];
      for (const call of everyCall(driver, queue, never)) same(await codeOf(call()), "unreachable", "nobody listens");
      await driver.close();
    },
  },
  {
    name: "lets go at once when the signal aborts, before the call and while the server is silent",
    async run(world) {
      const [queue, driver] = [await world.queue("aborted"), await world.open("server")];
      await startFirst(driver, queue, "blue");
      for (const call of everyCall(driver, queue, AbortSignal.abort("gone")))
        same(await reasonOf(call()), "gone", "before");
      const silent = await world.open("silent");
      for (const index of everyCall(silent, queue, never).keys()) {
        const cancel = new AbortController();
        const reason = reasonOf((everyCall(silent, queue, cancel.signal)[index] as () => Promise<unknown>)());
        setTimeout(() => cancel.abort("gone"), 20);
        same(await reason, "gone", `meanwhile, call ${index}`);
      }
      await silent.close();
    },
  },
];

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "no error",
    (reason: unknown) => reason,
  );
}
