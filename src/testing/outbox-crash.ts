import { type RandomStream, randomStream } from "../core/stats/random.ts";
import { runRelay } from "../fence/outbox/relay.ts";
import type { RelayEvent } from "../fence/outbox/relay-run.ts";
import type { OutboxCounts } from "../ports/outbox-store.ts";
import type { Random } from "../ports/random.ts";
import { Killed, OUTBOX_CRASH_POINTS, type OutboxCrashPoint, relayProcess } from "./outbox-crash-process.ts";
import { receiverOf } from "./outbox-crash-receiver.ts";
import { type Evidence, judgeRun, type OutboxCrashReport, watchMarks } from "./outbox-crash-report.ts";
import { type Colour, type OutboxCrashPlan, type OutboxCrashWorld, rowOfEvent } from "./outbox-crash-world.ts";

const TRIES_MAX = 25;
/** Epochs of the two colours: the flip is a new one. */
const EPOCH: Readonly<Record<Colour, number>> = { blue: 1, green: 2 };

/** The relay's randomness from the run's seed. */
const randomOf = (random: RandomStream): Random => ({
  float: random,
  bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)),
});

/**
 * Writes events with business rows and relays them to a deduping receiver, while producers and relays die or pause
 * between any two steps; half-way green takes over from blue, which is not told. In the end a person replays every
 * dead letter.
 */
export async function runOutboxCrashMatrix<Transaction>(
  world: OutboxCrashWorld<Transaction>,
  plan: OutboxCrashPlan,
): Promise<OutboxCrashReport> {
  const random = randomStream(plan.seed);
  const crashes = Object.fromEntries(OUTBOX_CRASH_POINTS.map((point) => [point, 0])) as Evidence["crashes"];
  const evidence: Evidence = { crashes, staleMarks: 0, staleEpochs: 0, clobbers: 0, claimsAfterFlip: 0, doubtful: 0 };
  const receiver = receiverOf(world, plan, random);
  const watch = watchMarks<Transaction>(evidence);
  const stores = { blue: watch(world.open("blue")), green: watch(world.open("green")) };
  const strikes = (point: OutboxCrashPoint) => {
    const isHit = random() < plan.crashShare;
    if (isHit) evidence.crashes[point]++;
    return isHit;
  };

  const fate = { strikes, pause: () => world.clock.sleep(plan.leaseMs * 4), hasAnswer: () => random() < 0.5 };

  async function produce(event: number): Promise<void> {
    const pass = (point: OutboxCrashPoint) => {
      if (strikes(point)) throw new Killed(point);
    };
    const row = rowOfEvent(plan, event);
    await world.transact(async (transaction) => {
      pass("before-add");
      const { added } = await stores.green.add(transaction, [row]);
      if (added.length === 1) await world.write(transaction, "ordered", row.effectKey);
      pass("after-add");
    });
    pass("after-commit");
  }

  let nextEvent = 0;
  /** A caller that asks again until it is told that its event was taken. */
  async function produceAll(): Promise<void> {
    while (nextEvent < plan.events) {
      const event = nextEvent++;
      for (let isTaken = false; !isTaken; ) {
        isTaken = await produce(event).then(
          () => true,
          (error: unknown) => {
            if (error instanceof Killed) return false;
            throw error;
          },
        );
      }
    }
  }

  const over = new AbortController();
  const audit = (event: RelayEvent) => {
    if (event.kind === "stale") evidence.staleMarks++;
    if (event.kind === "stale-epoch") evidence.staleEpochs++;
    const isBroken = event.kind === "store-failed" && !(event.error instanceof Killed);
    if (isBroken)
      throw new Error("invariant: the store of a crash run fails only for the dead", { cause: event.error });
  };

  /** A process, and after its death the next one, until the run is over or the store says that its epoch is old. */
  async function keepRelaying(colour: Colour): Promise<void> {
    while (!over.signal.aborted) {
      const process = relayProcess(stores[colour], receiver.send, world.clock, fate);
      const stop = () => process.stop();
      over.signal.addEventListener("abort", stop, { once: true });
      const { store, send, clock } = process;
      const grant = { token: EPOCH[colour], isHeld: () => true }; // A zombie believes that it still holds.
      const times = { leaseMs: plan.leaseMs, pollMs: plan.leaseMs / 10, storeTimeoutMs: 60_000 };
      const effort = { triesMax: TRIES_MAX, backoff: { baseMs: plan.leaseMs / 20, capMs: plan.leaseMs / 4 } };
      const setup = { owner: colour, grant, concurrency: plan.concurrency, ...times, ...effort };
      const options = { store, send, clock, random: randomOf(random), sinkHonoursKey: true, audit, ...setup };
      const end = await runRelay(options, process.signal);
      over.signal.removeEventListener("abort", stop);
      if (end === "stale-epoch") return;
    }
  }

  const processes: Promise<void>[] = [];
  const start = (colour: Colour) => {
    for (let count = 0; count < plan.relays; count++) processes.push(keepRelaying(colour));
  };
  /** Looks at the outbox until it says so. */
  async function until(isReached: (counts: OutboxCounts) => boolean) {
    while (!isReached(await stores.green.counts())) await world.clock.sleep(plan.leaseMs / 4);
  }

  const producers = Promise.all(Array.from({ length: plan.concurrency }, produceAll));
  start("blue");
  await until(({ sent, dead }) => (sent + dead) * 2 >= plan.events);
  start("green");
  await producers;
  await until(({ waiting, claimed }) => waiting + claimed === 0);
  await receiver.drained();
  const before = await judgeRun(world, plan);
  receiver.repair();
  for (const { effectKey } of await stores.green.deadLetters(plan.events)) await stores.green.replay(effectKey);
  await until(({ waiting, claimed }) => waiting + claimed === 0);
  over.abort();
  await Promise.all(processes);
  await receiver.drained();
  const after = await judgeRun(world, plan);
  return { ...evidence, ...before, deliveries: receiver.deliveries(), afterReplay: after };
}
