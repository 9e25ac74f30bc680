import { Command, InvalidArgumentError, Option } from "commander";
import { ControllerClient } from "./controller-client.ts";
import { PRESETS } from "../spec/preset/index.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Outcome } from "./run-program.ts";
import type { Terminal } from "./terminal.ts";

interface Shared {
  readonly json: boolean;
  readonly data: string;
  readonly controller?: string;
}

const DATA_DIR = ".sluice";

function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`expected a whole number ${low} to ${high}`);
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("expected a number above 0");
}

function collect(value: string, list: readonly string[]): readonly string[] {
  return [...list, value];
}

const connect = ({ controller, data }: Shared) =>
  ControllerClient.connect({ controller: controller ?? null, dataDir: data });
const port = integer(0, 65_535);
const seed = integer(0, 2 ** 32 - 1);

/**
 * Every command, its options and what runs it. Commands are imported when they are called, so that `sluice --help` does
 * not load a database.
 */
export function buildProgram(terminal: Terminal, outcome: Outcome): Command {
  const program = new Command("sluice")
    .description("Ships a new release of a RAG or LLM service and proves it did not get worse.")
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => terminal.data(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
    });
  const verb = (name: string, summary: string, parent: Command = program): Command =>
    parent.command(name).description(summary).option("--json", "machine-readable output", false).exitOverride();
  const remote = (name: string, summary: string): Command =>
    verb(name, summary)
      .option("--data <dir>", "data directory of the controller", DATA_DIR)
      .option("--controller <url>", "address of the controller, when its data directory is elsewhere");
  const act = <T extends unknown[]>(work: (...args: T) => Promise<ExitCode>) => {
    return async (...args: unknown[]): Promise<void> => {
      outcome.code = await work(...(args.slice(0, -1) as T));
    };
  };
  addLocal(verb, act, terminal);
  addRemote(remote, act, terminal);
  addProbes(program, verb, act, terminal);
  addLab(program, verb, act, terminal);
  return program;
}

type Verb = (name: string, summary: string, parent?: Command) => Command;
type Act = <T extends unknown[]>(work: (...args: T) => Promise<ExitCode>) => (...args: unknown[]) => Promise<void>;

function addLocal(verb: Verb, act: Act, terminal: Terminal): void {
  verb("demo", "a whole rollout on this machine: real services, real traffic, one faulty release")
    .option("--scenario <name>", "one story instead of two")
    .addOption(new Option("--all", "every story").default(false).conflicts("scenario"))
    .option("--seed <n>", "seed of traffic and faults", seed, 7)
    .option("--keep", "keep the data directory", false)
    .option("--data <dir>", "use this data directory and keep it")
    .option("--port-base <n>", "first of the ports to use; free ones otherwise", port)
    .action(
      act(
        async (options: {
          json: boolean;
          scenario?: string;
          all: boolean;
          seed: number;
          keep: boolean;
          data?: string;
          portBase?: number;
        }) => {
          const { demo } = await import("./commands/demo.ts");
          const { json, seed: chosen, keep, all } = options;
          const places = { dataDir: options.data ?? null, portBase: options.portBase ?? null };
          return demo(
            { json, seed: chosen, keep, isAll: all, scenario: options.scenario ?? null, ...places },
            terminal,
          );
        },
      ),
    );
  verb("validate <file>", "read a document and say everything that is wrong with it").action(
    act(async (file: string, options: { json: boolean }) =>
      (await import("./commands/validate.ts")).validate(file, options, terminal),
    ),
  );
  verb("plan <file>", "what a rollout will do, how long it takes, what each gate can see")
    .option("--rps <n>", "requests per second of the service today", positive, 100)
    .option("--detailed-exitcode", "exit 3 when there are changes", false)
    .action(
      act(async (file: string, options: { json: boolean; rps: number; detailedExitcode: boolean }) => {
        return (await import("./commands/plan.ts")).plan(file, options, terminal);
      }),
    );
  verb("init", "write a rollout document and a gold set to start from")
    .option("--dir <dir>", "where to write them", ".")
    .option("--service <name>", "name of the service")
    .option("--stable <url>", "where the stable release answers")
    .option("--candidate <url>", "where the candidate answers")
    .option("--header <name>", "header by which your proxy names the user")
    .action(
      act(
        async (options: {
          json: boolean;
          dir: string;
          service?: string;
          stable?: string;
          candidate?: string;
          header?: string;
        }) => {
          const { init } = await import("./commands/init.ts");
          const absent = { service: null, stable: null, candidate: null, header: null };
          return init({ ...absent, ...options }, terminal);
        },
      ),
    );
  verb("serve", "the controller of one data directory")
    .option("--data <dir>", "where everything is kept", DATA_DIR)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on, 0 for a free one", port, 4_400)
    .action(
      act(async (options: { json: boolean; data: string; host: string; port: number }) => {
        const [{ serve }, { probeRunner }] = await Promise.all([
          import("./commands/serve.ts"),
          import("./probe-runner.ts"),
        ]);
        return serve({ ...options, dataDir: options.data }, probeRunner(), terminal);
      }),
    );
}

function addRemote(remote: (name: string, summary: string) => Command, act: Act, terminal: Terminal): void {
  remote("gateway <file>", "one gateway of the document's service, following the controller")
    .option("--events <file>", "write wide events as NDJSON")
    .action(
      act(async (file: string, options: Shared & { events?: string }) => {
        const { gateway } = await import("./commands/gateway.ts");
        const { json, data, controller = null, events = null } = options;
        return gateway(file, { json, dataDir: data, controller, events }, terminal);
      }),
    );
  remote("apply <file>", "hand a rollout document to the controller")
    .option("--watch", "stay until the rollout ends", false)
    .action(
      act(async (file: string, options: Shared & { watch: boolean }) => {
        return (await import("./commands/apply.ts")).apply(file, options, await connect(options), terminal);
      }),
    );
  remote("retry <file>", "a new generation of a rollout that has ended")
    .option("--watch", "stay until the rollout ends", false)
    .action(
      act(async (file: string, options: Shared & { watch: boolean }) => {
        return (await import("./commands/retry.ts")).retry(file, options, await connect(options), terminal);
      }),
    );
  remote("explain <rollout> [gate]", "why a rollout stands where it stands").action(
    act(async (rollout: string, gate: string | undefined, options: Shared) => {
      return (await import("./commands/explain.ts")).explain(
        rollout,
        gate ?? null,
        options,
        await connect(options),
        terminal,
      );
    }),
  );
  remote("report <rollout>", "the evidence of a rollout, the same bytes every time")
    .option("--format <format>", "md, json, junit or github", "md")
    .action(
      act(async (rollout: string, options: Shared & { format: string }) => {
        return (await import("./commands/report.ts")).report(rollout, options.format, await connect(options), terminal);
      }),
    );
  remote("status [rollout]", "where one rollout stands, or all of them").action(
    act(async (rollout: string | undefined, options: Shared) => {
      return (await import("./commands/status.ts")).status(rollout ?? null, options, await connect(options), terminal);
    }),
  );
  remote("watch <rollout>", "tell what happens until the rollout ends or waits for a person")
    .option("--timeout <seconds>", "give up after this long, exit 124", positive)
    .action(
      act(async (rollout: string, options: Shared & { timeout?: number }) => {
        const { watch } = await import("./commands/watch.ts");
        return watch(
          rollout,
          { json: options.json, timeoutS: options.timeout ?? null },
          await connect(options),
          terminal,
        );
      }),
    );
  const verbs = [
    ["promote", "skip the rest of the hold, never a failed gate"],
    ["pause", "stop promoting; fuses still act"],
    ["resume", "go on after a pause, or hold and probe again after waiting"],
    ["abort", "end a running rollout at stable"],
    ["rollback", "all traffic to stable, also after a promotion"],
  ] as const;
  for (const [name, summary] of verbs) {
    const command = remote(`${name} <rollout>`, summary).option("--reason <text>", "kept in the journal", "");
    if (name === "promote") command.option("--full", "straight to 100 %", false);
    command.action(
      act(async (rollout: string, options: Shared & { reason: string; full?: boolean }) => {
        const { json, reason, full = false } = options;
        return (await import("./commands/command.ts")).command(
          name,
          rollout,
          { json, reason, full },
          await connect(options),
          terminal,
        );
      }),
    );
  }
}

function addProbes(program: Command, verb: Verb, act: Act, terminal: Terminal): void {
  verb("probe", "ask a gold set of one service, or of two in pairs, and judge the answers")
    .requiredOption("--target <url>", "answer endpoint of the release in question")
    .requiredOption("--gold <file>", "gold set, YAML or JSONL")
    .option("--baseline <url>", "answer endpoint of the stable release")
    .option("--k <n>", "sections asked for", integer(1, 50), 10)
    .option("--repeats <n>", "repetitions of each phrasing", integer(1, 10), 2)
    .addOption(new Option("--tier <tier>", "how many questions").choices(["smoke", "full"]).default("full"))
    .addOption(new Option("--preset <name>", "gates to judge by").choices(Object.keys(PRESETS)).default("default"))
    .option("--min-cov <share>", "coverage that must be reached", positive)
    .option("--max-ds <distance>", "median delta_s that may not be exceeded", positive)
    .option("--corpus <path>", "source documents; anchors come from stable's answers without them")
    .option("--embedder <name>", "judge: lexical, or openai/MODEL:DIMS", "lexical")
    .option("--lock <file>", "keep the calibration here")
    .option("--map <file>", "mapping of another response shape")
    .option("--rps <n>", "requests per second over both services", positive)
    .option("--concurrency <n>", "requests at once", integer(1, 256), 16)
    .action(
      act(async (options: Record<string, unknown>) => {
        const { probe } = await import("./commands/probe.ts");
        const absent = { baseline: null, minCov: null, maxDs: null, corpus: null, lock: null, map: null, rps: null };
        return probe({ ...absent, ...options } as Parameters<typeof probe>[0], terminal);
      }),
    );
  const gold = program.command("gold").description("gold sets").exitOverride();
  verb("lint <file>", "check a gold set, against its corpus when there is one", gold)
    .option("--corpus <path>", "source documents")
    .action(
      act(async (file: string, options: { json: boolean; corpus?: string }) => {
        const { goldLint } = await import("./commands/gold-lint.ts");
        return goldLint(file, { json: options.json, corpus: options.corpus ?? null }, terminal);
      }),
    );
}

function addLab(program: Command, verb: Verb, act: Act, terminal: Terminal): void {
  const lab = program.command("lab").description("the laboratory: a RAG service and its users").exitOverride();
  verb("serve", "a RAG service with real retrieval over a corpus", lab)
    .requiredOption("--corpus <path>", "folder of Markdown or text, or JSONL of {doc, section, text}")
    .requiredOption("--index <name>", "name of the index")
    .option("--chunk <words>", "words in a chunk", integer(1, 10_000), 80)
    .option("--fault <fault>", "plant a fault, NAME or NAME=x; may be given several times", collect, [])
    .option("--port <n>", "port on 127.0.0.1, 0 for a free one", port, 0)
    .option("--data <dir>", "keep the index file here")
    .option("--seed <n>", "seed of model times and faults", seed, 1)
    .option("--release <label>", "makes two otherwise equal services different releases", "1")
    .option("--model-ms <ms>", "median of the simulated model time", positive, 60)
    .action(
      act(
        async (options: {
          corpus: string;
          index: string;
          chunk: number;
          fault: readonly string[];
          port: number;
          data?: string;
          seed: number;
          release: string;
          modelMs: number;
        }) => {
          const { chunk, fault, ...rest } = options;
          return (await import("./commands/lab-serve.ts")).labServe(
            { ...rest, chunkWords: chunk, faults: fault },
            terminal,
          );
        },
      ),
    );
  verb("traffic", "open-loop users asking the questions of a gold set", lab)
    .requiredOption("--target <url>", "answer endpoint, e.g. of the gateway")
    .requiredOption("--gold <file>", "gold set the questions are drawn from")
    .option("--rps <n>", "requests per second", positive, 50)
    .option("--seconds <n>", "end after this long", positive)
    .option("--seed <n>", "seed of users, questions and arrivals", seed, 1)
    .action(
      act(async (options: { target: string; gold: string; rps: number; seconds?: number; seed: number }) => {
        const [{ labTraffic }, { readGold }] = await Promise.all([
          import("./commands/lab-traffic.ts"),
          import("./read-gold.ts"),
        ]);
        const { items } = await readGold(options.gold);
        const questions = items.flatMap(({ phrasings }) => phrasings);
        return labTraffic({ ...options, questions, seconds: options.seconds ?? null }, terminal);
      }),
    );
}
