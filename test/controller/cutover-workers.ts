import type { Asker, Leave } from "../../src/controller/grant-desk.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { DriverError } from "../../src/ports/driver-error.ts";
import { Crash } from "./life.ts";

/** One of so many answers is lost on its way. */
const LOST_EVERY = 3;

interface Worker {
  readonly release: string;
  readonly name: string;
  readonly role: Asker["role"];
  asksAtMonoMs: number;
  asked: number;
  /** Until when it may act, by its own count; 0 when it may not. */
  untilMonoMs: number;
  token: number;
}

/**
 * A producer and a consumer of each arm. Each asks about once a second, hears two of three answers, counts its leave from when it asked and writes on every look while
 * it has one, to a sink that refuses a lower token than it has seen.
 */
export class FakeWorkers {
  /** Every write, in order. */
  readonly writes: { readonly release: string; readonly atMonoMs: number }[] = [];
  /** Moments at which workers of two releases had a leave at once. */
  overlaps = 0;
  readonly #clock: Clock;
  readonly #workers: readonly Worker[] = ["r-stable", "r-candidate"].flatMap((release) =>
    (["producer", "consumer"] as const).map((role) => {
      return { release, name: `${release} ${role}`, role, asksAtMonoMs: 0, asked: 0, untilMonoMs: 0, token: 0 };
    }),
  );
  #highestToken = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async ask(answer: (asker: Asker) => Promise<Leave>): Promise<void> {
    const nowMs = this.#clock.monoMs();
    for (const [place, worker] of this.#workers.entries()) {
      if (nowMs < worker.asksAtMonoMs) continue;
      worker.asksAtMonoMs = nowMs + 1_000 + 200 * place; // Not all at once, and each in its own rhythm.
      await this.#askOne(worker, answer);
    }
    const acting = this.#workers.filter(({ untilMonoMs }) => untilMonoMs > nowMs);
    if (new Set(acting.map(({ release }) => release)).size > 1) this.overlaps++;
    for (const { release, token } of acting) {
      if (token < this.#highestToken) continue;
      this.#highestToken = token;
      this.writes.push({ release, atMonoMs: nowMs });
    }
  }

  async #askOne(worker: Worker, answer: (asker: Asker) => Promise<Leave>): Promise<void> {
    const { release, name } = worker;
    const isActing = worker.untilMonoMs > this.#clock.monoMs();
    const leave = await answer({ release, worker: name, role: worker.role, isActing, question: ++worker.asked }).catch(
      ignoreOutage,
    );
    const isLost = worker.asked % LOST_EVERY === 0;
    if (leave === null || isLost) return; // Nothing was heard: the leave it has runs out.
    worker.untilMonoMs = leave.acts ? this.#clock.monoMs() + leave.expiresInMs : 0;
    worker.token = leave.token;
  }
}

function ignoreOutage(error: unknown): null {
  if (error instanceof Crash || error instanceof DriverError) return null;
  throw error;
}
