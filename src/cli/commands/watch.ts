import { HANDOVER_MS } from "../../controller/tenure.ts";
import type { Status } from "../../contract/status.ts";
import { printableLine } from "../../core/printable.ts";
import { CliError } from "../cli-error.ts";
import { type ControllerClient, UNREACHABLE } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { eventLine } from "../format/event-line.ts";
import type { Terminal } from "../terminal.ts";

const LOOK_MS = 1_000;
/** A controller that is restarted is back long before this; one that stays away longer needs a person. */
const AWAY_MAX_MS = 600_000;
/** Before the first answers every gate has no data; one that lasts this long is told, once. */
const UNMEASURED_TOLD_MS = 15_000;

type WatchedController = Pick<ControllerClient, "status" | "events">;

/** Looks where a rollout stands, over restarts of the controller: it goes on by itself, so a watcher does too. */
class EndWatcher {
  readonly #client: WatchedController;
  readonly #rolloutId: string;
  readonly #say: (line: string) => void;
  #awaySinceMs: number | null = null;
  #last: Status | null = null;
  #unmeasuredSinceMs: number | null = null;
  #isUnmeasuredTold = false;

  constructor(client: WatchedController, rolloutId: string, say: (line: string) => void) {
    this.#client = client;
    this.#rolloutId = rolloutId;
    this.#say = say;
  }

  /** Exit code of a rollout that has ended or waits for a person; null while it runs, and while nobody can tell. */
  async look(): Promise<ExitCode | null> {
    try {
      const status = await this.#client.status(this.#rolloutId);
      const { exit_code: code } = status;
      this.#last = status;
      if (this.#awaySinceMs !== null) this.#say("the controller answers again");
      this.#awaySinceMs = null;
      this.#tellUnmeasured(status);
      return code;
    } catch (error) {
      const isAway = error instanceof CliError && error.cause === UNREACHABLE;
      const nowMs = performance.now();
      if (!isAway || (this.#awaySinceMs !== null && nowMs - this.#awaySinceMs > AWAY_MAX_MS)) throw error;
      if (this.#awaySinceMs === null)
        this.#say(`the controller does not answer, waiting for it; ${withoutController(this.#last)}`);
      this.#awaySinceMs ??= nowMs;
      return null;
    }
  }

  /** No event says that nothing happens: requests without a user, or no gateway, would be waited for in silence. */
  #tellUnmeasured({ phase, paused, gateways, verdicts, next }: Status): void {
    const isMissing = gateways?.live === 0 || verdicts.some(({ verdict }) => verdict === "no-data");
    if (phase !== "progressing" || paused || !isMissing) {
      this.#unmeasuredSinceMs = null;
      this.#isUnmeasuredTold = false;
      return;
    }
    this.#unmeasuredSinceMs ??= performance.now();
    if (this.#isUnmeasuredTold || performance.now() - this.#unmeasuredSinceMs < UNMEASURED_TOLD_MS) return;
    this.#isUnmeasuredTold = true;
    this.#say(`still waiting: ${printableLine(next)}`);
  }
}

/** What becomes of users while nobody orders anything. A planned stop announces a longer lease first. */
function withoutController(last: Status | null): string {
  const leaseMs = last?.lease_ms ?? null;
  if (leaseMs === null || last?.share.ordered_bp === 0) return "users stay where they are";
  const planned = leaseMs < HANDOVER_MS ? ` (${HANDOVER_MS / 1_000} s after a planned stop)` : "";
  return `gateways send everybody to stable after ${leaseMs / 1_000} s${planned} and until it is back`;
}

/**
 * `sluice watch ROLLOUT`: tells what happens until the rollout ends (0, 10, 12, 14) or waits for a person (11). With
 * `--json` one event a line.
 */
export async function watch(
  rolloutId: string,
  options: { json: boolean; timeoutS: number | null },
  client: WatchedController,
  terminal: Terminal,
): Promise<ExitCode> {
  const stop = new AbortController();
  const tell = async (): Promise<void> => {
    for await (const event of client.events(stop.signal)) {
      if (event.rollout !== rolloutId) continue;
      if (options.json) terminal.data(JSON.stringify(event));
      const line = options.json ? null : eventLine(event, terminal);
      if (line !== null) terminal.say(line);
    }
  };
  const telling = tell().catch(() => {});
  const deadline = options.timeoutS === null ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutS * 1_000;
  const watcher = new EndWatcher(client, rolloutId, (line) => terminal.say(line));
  try {
    await client.status(rolloutId); // A controller that was never there, or a name it does not know, is told at once.
    for (;;) {
      const code = await watcher.look();
      if (code !== null) {
        await new Promise((resolve) => setTimeout(resolve, 100)); // The last events are on their way.
        return code;
      }
      if (performance.now() > deadline) return EXIT.timeout;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    stop.abort();
    await telling;
  }
}
