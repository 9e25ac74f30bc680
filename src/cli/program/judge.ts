import { InvalidArgumentError, Option } from "commander";
import { parseDurationMs } from "../../spec/duration.ts";
import type { JudgeOptions } from "../commands/judge.ts";
import { LOG_FORMATS } from "../judge/format/formats.ts";
import type { Terminal } from "../terminal.ts";
import type { Act, Verb } from "./options.ts";

/** Reads `15m` or `0s`; a bare 0 is no time in any unit. */
function hold(text: string): number {
  const ms = text === "0" ? 0 : parseDurationMs(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError("expected a duration with its unit, e.g. 12s, 15m or 0s");
}

/** The commands that tell what is judged, and that judge what was recorded. */
export function addJudge(verb: Verb, act: Act, terminal: Terminal): void {
  verb("gate [name]", "what a gate asks, its options, what it needs, and where to look when it stops").action(
    act(async (name: string | undefined, options: { json: boolean }) =>
      (await import("../commands/gate.ts")).gate(name, options, terminal),
    ),
  );
  verb("preset [name]", "the presets, or every gate and number of one and where they come from").action(
    act(async (name: string | undefined, options: { json: boolean }) =>
      (await import("../commands/preset.ts")).preset(name, options, terminal),
    ),
  );
  verb("judge", "replay recorded traffic through the gates, as if they had watched it live")
    .option("--trace <file>", "wide events as NDJSON, - for stdin")
    .addOption(
      new Option("--format <product>", "the trace is the access log of this product").choices(Object.keys(LOG_FORMATS)),
    )
    .option("--arm-field <name>", "field of that log that holds the arm, instead of the usual ones")
    .option("--windows <file>", "telemetry windows as gateways send them, instead of events")
    .option("--probe-results <file>", "what `sluice probe --json` printed; probe gates have no data without it")
    .option("--preset <name>", "gates to judge by", "default")
    .addOption(new Option("--gates <file>", "gates to judge by, as YAML or JSON").conflicts("preset"))
    .addOption(
      new Option("--mode <mode>", "how limits are read, instead of the gates' own mode").choices([
        "literal",
        "sequential",
      ]),
    )
    .option("--split <shares>", "ordered shares of stable and candidate in basis points, e.g. 9000:1000")
    .option("--hold <duration>", "instead of the preset's hold, e.g. 10m", hold)
    .option("--arm-map <names>", "what the trace calls the arms, e.g. green=candidate,blue=stable")
    .addOption(new Option("--only <source>", "leave out gates the trace cannot answer").choices(["trace"]))
    .action(
      act(async (options: Partial<JudgeOptions> & { hold?: number }) => {
        const { judge } = await import("../commands/judge.ts");
        const absent = { trace: null, windows: null, probeResults: null, gates: null, mode: null, split: null };
        const more = { format: null, armField: null, armMap: null, only: null, holdMs: options.hold ?? null };
        return judge({ ...absent, ...more, ...options } as JudgeOptions, terminal);
      }),
    );
}
