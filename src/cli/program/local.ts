import type { PlanOptions } from "../plan/plan-options.ts";
import { Option } from "commander";
import type { LatencyShape } from "../../core/stats/latency-shape.ts";
import type { Terminal } from "../terminal.ts";
import {
  type Act,
  DATA_DIR,
  duration,
  latencyPeaks,
  port,
  positive,
  seed,
  type Shared,
  share,
  type Verb,
} from "./options.ts";

/** Commands that need no running controller. */
export function addLocal(verb: Verb, act: Act, terminal: Terminal): void {
  verb("demo", "a whole rollout on this machine: real services, real traffic, one faulty release")
    .option("--scenario <name>", "one story instead of two; bluegreen and its like tell of a cutover")
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
          const { demo } = await import("../commands/demo.ts");
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
      (await import("../commands/validate.ts")).validate(file, options, terminal),
    ),
  );
  verb("plan <file>", "what a rollout will do, how long it takes, what each gate can see")
    .option("--rps <n>", "requests per second of the service today", positive, 100)
    .option("--users <n>", "users it has: what so many can show at each share", positive)
    .option("--error-rate <share>", "share of its requests that fail today", share, 0.005)
    .option("--latency-sigma <n>", "spread of its latency: standard deviation of the logarithm", positive, 0.5)
    .option(
      "--latency-peaks <list>",
      "its latency where it has several peaks, as with cached answers: share:median:sigma of each, e.g. 0.9:40ms:0.4,0.1:2s:0.3",
      latencyPeaks,
    )
    .option("--detailed-exitcode", "exit 3 when there are changes", false)
    .option("--data <dir>", "data directory of the controller that knows the service", DATA_DIR)
    .option("--controller <url>", "address of that controller, when its data directory is elsewhere")
    .action(
      act(
        async (
          file: string,
          options: Shared &
            Omit<PlanOptions, "dataDir" | "controller" | "users" | "latencyPeaks"> & {
              users?: number;
              latencyPeaks?: LatencyShape;
            },
        ) => {
          const { data: dataDir, controller = null, users = null, latencyPeaks: peaks = null } = options;
          const given = { ...options, users, latencyPeaks: peaks, dataDir, controller };
          return (await import("../commands/plan.ts")).plan(file, given, terminal);
        },
      ),
    );
  verb("simulate", "rehearse a policy many times in virtual time, on candidates whose fate is known")
    .requiredOption("--policy <file>", "the rollout document")
    .option("--traffic <file>", "recorded events or telemetry windows, one JSON line each")
    .option("--rps <n>", "requests per second, without a recording", positive, 100)
    .option("--scenario <name...>", "candidates to rehearse, or all")
    .option("--runs <n>", "runs of each scenario", positive, 20)
    .option("--seed <n>", "seed of the first run", seed, 1)
    .option("--hours <n>", "virtual hours after which an undecided run is left", positive, 24)
    .action(
      act(
        async (options: {
          json: boolean;
          policy: string;
          traffic?: string;
          rps: number;
          scenario?: string[];
          runs: number;
          seed: number;
          hours: number;
        }) => {
          const { simulate } = await import("../commands/simulate.ts");
          const runs = Math.max(1, Math.round(options.runs));
          const places = { traffic: options.traffic ?? null, scenarios: options.scenario ?? [] };
          return simulate({ ...options, ...places, runs }, terminal);
        },
      ),
    );
  verb("init", "write a rollout document and a gold set to start from")
    .option("--dir <dir>", "where to write them", ".")
    .option("--service <name>", "name of the service")
    .option("--stable <url>", "where the stable release answers")
    .option("--candidate <url>", "where the candidate answers")
    .option("--header <name>", "header by which your proxy names the user")
    .option("--trial", "a document that is through in minutes at 10 requests a second, for a first try", false)
    .action(
      act(
        async (options: {
          json: boolean;
          dir: string;
          service?: string;
          stable?: string;
          candidate?: string;
          header?: string;
          trial: boolean;
        }) => {
          const { init } = await import("../commands/init.ts");
          const absent = { service: null, stable: null, candidate: null, header: null };
          return init({ ...absent, ...options }, terminal);
        },
      ),
    );
  verb("restore [file]", "make a backup the database of a data directory; no controller may run on it")
    .option("--data <dir>", "data directory to restore into", DATA_DIR)
    .option("--replace", "move a database that is there aside", false)
    .option("--store <url>", "restore into that server; without a file: it was put back there by other means")
    .action(
      act(
        async (
          file: string | undefined,
          options: { json: boolean; data: string; replace: boolean; store?: string },
        ) => {
          const { restore } = await import("../commands/restore.ts");
          const { json, data: dataDir, replace: isReplacing, store } = options;
          return restore(file ?? null, { json, dataDir, isReplacing, store }, terminal);
        },
      ),
    );
  verb("serve", "the controller of one data directory")
    .option("--data <dir>", "where everything is kept", DATA_DIR)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on, 0 for a free one", port, 4_400)
    .option("--store <url>", "keep the store on a server: postgres://USER@HOST:PORT/DATABASE, without a password")
    .option("--take-over", "take that store from a controller that may live", false)
    .option("--new", "begin again where the database of before is gone, or is another one", false)
    .option("--forget-after <duration>", "silent gateways are gone after this, by default 1h", duration)
    .option("--open-metrics", "tell /metrics to everybody who can connect, without a token", false)
    .action(
      act(
        async (options: {
          json: boolean;
          data: string;
          host: string;
          port: number;
          openMetrics: boolean;
          forgetAfter?: number;
          new: boolean;
          store?: string;
          takeOver: boolean;
        }) => {
          const [{ serve }, { probeRunner }] = await Promise.all([
            import("../commands/serve.ts"),
            import("../../host/probe-runner.ts"),
          ]);
          return serve({ ...options, dataDir: options.data }, probeRunner(), terminal);
        },
      ),
    );
}
