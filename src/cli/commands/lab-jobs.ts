import pg from "pg";
import { postgresQueue, queueTables } from "../../drivers/queue/postgres/index.ts";
import { Grant } from "../../fence/grant.ts";
import { systemClock } from "../../host/system-clock.ts";
import { ACT, CARRY_OUT, PRODUCE } from "../../lab/database/tables.ts";
import type { QueueDriver, QueuePointer } from "../../ports/queue.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

const PARTS = ["producer", "worker", "scheduler"] as const;
type Part = (typeof PARTS)[number];

export interface LabJobsOptions {
  readonly part: string;
  readonly controller: string;
  readonly service: string;
  /** Release that this process belongs to. */
  readonly release: string;
  /** Consumer of the queue that this release's workers are. */
  readonly consumer: string;
  /** Queue that is written to and read before the first cutover. */
  readonly queue: string;
  readonly pointer: string;
  readonly store: string;
  /** A scheduler stops itself (SIGSTOP) between its leave and its write, as a machine that freezes does. */
  readonly freezes: boolean;
}

const PAUSE_MS = 100;
const JOBS_AT_ONCE = 50;
/** The one effect of a scheduler. */
const DIGEST = "digest-of-the-day";
const soon = () => AbortSignal.timeout(5_000);
const pause = (ms = PAUSE_MS) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Work {
  readonly options: LabJobsOptions;
  readonly grant: Grant;
  readonly pool: pg.Pool;
  readonly queue: QueueDriver;
  readonly terminal: Terminal;
  readonly stop: AbortSignal;
}

function partOf(name: string): Part {
  const found = PARTS.find((part) => part === name);
  if (found === undefined) throw new CliError(EXIT.badUsage, `--part is one of ${PARTS.join(", ")}, found "${name}"`);
  return found;
}

/**
 * `sluice lab jobs`: one process of a release that works with effects, and asks the controller by HTTP whether it may.
 * The token is in SLUICE_TOKEN. Ends by a signal; a scheduler also when its effect is done or refused.
 */
export async function labJobs(options: LabJobsOptions, terminal: Terminal): Promise<ExitCode> {
  const part = partOf(options.part);
  const { controller, service, release } = options;
  const token = () => process.env["SLUICE_TOKEN"] ?? "";
  const role = part === "worker" ? "consumer" : "producer";
  const grant = new Grant({ controller, token, service, release, role });
  const pool = new pg.Pool({ connectionString: options.store, max: 2 }).on("error", () => {});
  const queue = postgresQueue({ client: pool, clock: systemClock() });
  const over = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => over.abort());
  terminal.data(JSON.stringify({ part, release }));
  try {
    await RUN[part]({ options, grant, pool, queue, terminal, stop: over.signal });
  } finally {
    await grant.stop();
    await pool.end();
  }
  return EXIT.ok;
}

const RUN: Readonly<Record<Part, (work: Work) => Promise<void>>> = {
  async producer(work) {
    while (!work.stop.aborted) {
      await work.grant.act(() => produce(work));
      await pause();
    }
  },
  async worker(work) {
    while (!work.stop.aborted) {
      await work.grant.act((token) => consume(work, token));
      await pause();
    }
  },
  scheduler: schedule,
};

/** Hands what users ordered to the queue that the pointer names. */
async function produce({ pool, queue, options }: Work): Promise<void> {
  const pointer = await queue.readPointer(options.pointer, soon());
  await pool.query(PRODUCE, [pointer?.producersTo ?? options.queue, JOBS_AT_ONCE]);
}

/** Queues that this consumer may take from now; none while another one acts, or nobody. */
function queuesOf(pointer: QueuePointer | null, { consumer, queue }: LabJobsOptions): readonly string[] {
  if (pointer === null) return [queue]; // Before the first cutover the release that has leave is stable.
  if (pointer.consumer !== consumer || pointer.phase !== "acting") return [];
  const read = Object.keys(pointer.from);
  return read.length === 0 ? [queue] : read;
}

async function consume({ pool, queue, options }: Work, token: number): Promise<void> {
  const pointer = await queue.readPointer(options.pointer, soon());
  const tables = queueTables(pool);
  for (const name of queuesOf(pointer, options)) {
    const messages = await tables.take(name, options.consumer, JOBS_AT_ONCE);
    if (messages.length > 0) await pool.query(CARRY_OUT, [JSON.stringify(messages), options.release, token]);
  }
}

/** One effect a day, by whichever release may act when it is due. */
async function schedule({ grant, pool, options, terminal, stop }: Work): Promise<void> {
  const { token } = await grant.untilMayAct(stop);
  const frozenAtMs = performance.now();
  if (options.freezes) {
    terminal.data(JSON.stringify({ holds: token }));
    await pause(); // The line is out before everything stops.
    process.kill(process.pid, "SIGSTOP");
  }
  // What comes next comes however late it is: this process does not know that it slept.
  const { rows } = await pool.query<{ is_done: boolean }>(ACT, [DIGEST, options.release, token]);
  const sleptMs = Math.round(performance.now() - frozenAtMs);
  terminal.data(JSON.stringify({ effect: DIGEST, token, done: rows[0]?.is_done === true, slept_ms: sleptMs }));
}
