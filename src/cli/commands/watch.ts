import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { eventLine } from "../format/event-line.ts";
import type { Terminal } from "../terminal.ts";

/** Exit code of a rollout that has ended or waits for a person; null while it runs. */
async function endOf(client: ControllerClient, rolloutId: string): Promise<ExitCode | null> {
  const { exit_code: code } = await client.status(rolloutId);
  return code as ExitCode | null;
}

const LOOK_MS = 1_000;

/**
 * `sluice watch ROLLOUT`: tells what happens until the rollout ends (0, 10, 12, 14) or waits for a person (11). With
 * `--json` one event a line.
 */
export async function watch(
  rolloutId: string,
  options: { json: boolean; timeoutS: number | null },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const stop = new AbortController();
  const tell = async (): Promise<void> => {
    for await (const event of client.events(stop.signal)) {
      if (event["rollout"] !== rolloutId) continue;
      if (options.json) terminal.data(JSON.stringify(event));
      const line = options.json ? null : eventLine(event, terminal);
      if (line !== null) terminal.say(line);
    }
  };
  const telling = tell().catch(() => {});
  const deadline = options.timeoutS === null ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutS * 1_000;
  try {
    for (;;) {
      const code = await endOf(client, rolloutId);
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
