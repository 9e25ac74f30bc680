import pg from "pg";
import { WORK_COUNTS } from "../../../lab/database/tables.ts";

/** What became of all the work that was ordered. */
export interface WorkCounts {
  readonly jobs: number;
  readonly queued: number;
  readonly done: number;
  readonly doubled: number;
  /** Writes with a fencing token that was over. */
  readonly refused: number;
  /** Effects by the release that carried them out. */
  readonly by_release: Readonly<Record<string, number>>;
}

const EVERY_MS = 100;
const LOOK_MS = 100;

/** Users who order jobs, and the book in which can be read what became of them. */
export class OrderedWork {
  readonly #pool: pg.Pool;
  readonly #timer: NodeJS.Timeout;

  constructor(url: string, jobsPerSecond: number) {
    this.#pool = new pg.Pool({ connectionString: url, max: 2 }).on("error", () => {});
    const some = Math.round((jobsPerSecond * EVERY_MS) / 1_000);
    const order = "insert into lab_job (is_queued) select false from generate_series(1, $1)";
    this.#timer = setInterval(() => void this.#pool.query(order, [some]).catch(() => {}), EVERY_MS);
  }

  async counts(): Promise<WorkCounts> {
    const { rows } = await this.#pool.query<WorkCounts>(WORK_COUNTS);
    return rows[0] as WorkCounts;
  }

  /** No more is ordered; resolves when all of it is done, or with what there is after a while. */
  async settled(withinMs: number): Promise<WorkCounts> {
    clearInterval(this.#timer);
    const untilMs = performance.now() + withinMs;
    for (;;) {
      const counts = await this.counts();
      if (counts.done === counts.jobs || performance.now() > untilMs) return counts;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pool.end();
  }
}
