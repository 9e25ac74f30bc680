import { Option } from "commander";
import { ControllerClient } from "../controller-client.ts";
import type { Terminal } from "../terminal.ts";
import { type Act, age, DATA_DIR, integer, positive, type Shared, type Verb } from "./options.ts";
import { type FollowerFlags, ofFollower } from "./planes.ts";
import { DOCUMENT_NUMBERS } from "../format/document-numbers.ts";

/** Enough to look up how the last releases of a service went. */
const PRUNE_KEEPS = 5;

const connect = ({ controller, data }: Shared) =>
  ControllerClient.connect({ controller: controller ?? null, dataDir: data });

/** Commands about rollouts of a running controller. */
export function addRemote(remote: Verb, act: Act, terminal: Terminal): void {
  addGateway(remote, act, terminal);
  remote("doctor <file>", "try health, one question and the few that apply asks on both arms; changes nothing").action(
    act(async (file: string, options: Shared) => {
      const { doctor } = await import("../commands/doctor.ts");
      return doctor(
        file,
        { json: options.json, dataDir: options.data, controller: options.controller ?? null },
        terminal,
      );
    }),
  );
  remote("apply <file>", "hand a rollout document to the controller")
    .option("--watch", "stay until the rollout ends", false)
    .action(
      act(async (file: string, options: Shared & { watch: boolean }) => {
        return (await import("../commands/apply.ts")).apply(file, options, await connect(options), terminal);
      }),
    );
  remote("retry <rollout|file>", "a new generation of a rollout that has ended, with the document it had")
    .option("--watch", "stay until the rollout ends", false)
    .action(
      act(async (file: string, options: Shared & { watch: boolean }) => {
        return (await import("../commands/retry.ts")).retry(file, options, await connect(options), terminal);
      }),
    );
  remote("explain <rollout> [gate]", "why a rollout stands where it stands").action(
    act(async (rollout: string, gate: string | undefined, options: Shared) => {
      return (await import("../commands/explain.ts")).explain(
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
        return (await import("../commands/report.ts")).report(
          rollout,
          options.format,
          await connect(options),
          terminal,
        );
      }),
    );
  remote("status [rollout]", "where one rollout stands, or all of them").action(
    act(async (rollout: string | undefined, options: Shared) => {
      return (await import("../commands/status.ts")).status(rollout ?? null, options, await connect(options), terminal);
    }),
  );
  remote("watch <rollout>", "tell what happens until the rollout ends or waits for a person")
    .option("--timeout <seconds>", "give up after this long, exit 124", positive)
    .action(
      act(async (rollout: string, options: Shared & { timeout?: number }) => {
        const { findCutover, unlessUnknown, watchCutover } = await import("../commands/cutover.ts");
        const { watch } = await import("../commands/watch.ts");
        const client = await connect(options);
        const how = { json: options.json, timeoutS: options.timeout ?? null };
        const isRollout = (await unlessUnknown(client.status(rollout))) !== null;
        if (!isRollout && (await findCutover(rollout, client)) !== null)
          return watchCutover(rollout, how, client, terminal);
        return watch(rollout, how, client, terminal);
      }),
    );
  addUnit(remote, act, terminal);
  remote("backup <file>", "copy everything a controller knows, running or stopped, into a new file")
    .option("--store <url>", "the server that keeps the store, when the controller is stopped")
    .action(
      act(async (file: string, options: Shared & { store?: string }) => {
        const { backup } = await import("../commands/backup.ts");
        const { json, data: dataDir, controller = null, store } = options;
        return backup(file, { json, dataDir, controller, store }, terminal);
      }),
    );
  addPrune(remote, act, terminal);
  addService(remote, act, terminal);
  addGateways(remote, act, terminal);
  const verbs = [
    ["promote", "skip the rest of the hold, never a failed gate"],
    ["pause", "stop promoting; fuses still act"],
    ["resume", "go on after a pause, or hold and probe again after waiting"],
    ["abort", "end a running rollout at stable"],
    ["rollback", "all traffic to stable, also after a promotion"],
  ] as const;
  for (const [name, summary] of verbs) {
    const command = remote(`${name} <rollout>`, summary).option("--reason <text>", "kept in the journal", "");
    if (name === "promote") {
      command.option("--full", "straight to 100 %", false);
      command.option("--despite", "although gates of this stage have not passed", false);
    }
    command.action(
      act(async (rollout: string, options: Shared & { reason: string; full?: boolean; despite?: boolean }) => {
        const { json, reason, full = false, despite = false } = options;
        const { command: give, withoutController } = await import("../commands/command.ts");
        try {
          return await give(name, rollout, { json, reason, full, despite }, await connect(options), terminal);
        } catch (error) {
          throw withoutController(name, error, options.data);
        }
      }),
    );
  }
}

/** `gateway FILE`, and a person's word to running ones: `gateway stable`, `gateway follow`. */
function addGateway(remote: Verb, act: Act, terminal: Terminal): void {
  const run = ofFollower(remote("gateway <file>", "one gateway of the document's service, following the controller"))
    .option("--events <file>", "write wide events as NDJSON")
    .option("--region <name>", "where this gateway stands, for its events")
    .action(
      act(async (file: string, options: Shared & FollowerFlags & { events?: string; region?: string }) => {
        const { gateway } = await import("../commands/gateway.ts");
        const { json, data: dataDir, controller = null, events = null, region = null } = options;
        const keys = { controllerKeys: options.controllerKey, acceptsUnsigned: options.acceptUnsigned };
        return gateway(file, { json, dataDir, controller, events, region, ...keys }, terminal);
      }),
    );
  run.enablePositionalOptions(); // Options after `stable` and `follow` are their own.
  const words = [
    ["stable", "gateways of this data directory serve stable alone, controller or not"],
    ["follow", "and follow their controller again"],
  ] as const;
  for (const [to, summary] of words) {
    run
      .command(to)
      .description(summary)
      .requiredOption("--service <name>", "whose gateways")
      .option("--data <dir>", "data directory of the gateways", DATA_DIR)
      .option("--json", "machine-readable output", false)
      .exitOverride()
      .action(
        act(async (options: { json: boolean; service: string; data: string }) => {
          const { gatewayOrder } = await import("../commands/gateway.ts");
          const { json, service, data: dataDir } = options;
          return gatewayOrder(to, { json, service, dataDir }, terminal);
        }),
      );
  }
}

/** `unit ID`. */
function addUnit(remote: Verb, act: Act, terminal: Terminal): void {
  remote("unit <id>", "what a user you know is called in messages, which arm serves it and whether it fails")
    .option(
      "--rollout <rollout>",
      "the rollout: each has names of its own (default: the only one that runs, or the last)",
    )
    .option("--segment <name>", "the id is a value of this segment, for example a tenant")
    .action(
      act(async (id: string, options: Shared & { rollout?: string; segment?: string }) => {
        const asked = { ...options, rollout: options.rollout ?? null };
        return (await import("../commands/unit.ts")).unit(id, asked, await connect(options), terminal);
      }),
    );
}

/** `prune`: what ended long ago goes. */
function addPrune(remote: Verb, act: Act, terminal: Terminal): void {
  remote("prune", "remove rollouts that ended long ago, with their journals and reports")
    .addOption(
      new Option("--older-than <age>", "ended longer ago, e.g. 30d or 12h").argParser(age).default(age("30d"), "30d"),
    )
    .option("--keep <n>", "so many of each service stay, the last that ended", integer(0, 1_000_000), PRUNE_KEEPS)
    .option("--dry-run", "only say which would go", false)
    .action(
      act(async (options: Shared & { olderThan: number; keep: number; dryRun: boolean }) =>
        (await import("../commands/prune.ts")).prune(options, await connect(options), terminal),
      ),
    );
}

/** `gateways` and `gateways forget ID`. */
function addGateways(remote: Verb, act: Act, terminal: Terminal): void {
  const list = remote("gateways", "every gateway, what it said last and what it may still send to a candidate").action(
    act(async (options: Shared) =>
      (await import("../commands/gateways.ts")).gateways(options, await connect(options), terminal),
    ),
  );
  list.enablePositionalOptions(); // Options after `forget` are its own.
  list.addHelpText("after", DOCUMENT_NUMBERS);
  remote("forget <id>", "say that a gateway is gone, so that nothing waits for it", list)
    .requiredOption("--reason <text>", "how you know, for the record")
    .action(
      act(async (id: string, options: Shared & { reason: string }) =>
        (await import("../commands/gateways.ts")).gatewaysForget(id, options, await connect(options), terminal),
      ),
    );
}

/** `service NAME` and `service adopt NAME`: commander takes the first word for a subcommand where it is one. */
function addService(remote: Verb, act: Act, terminal: Terminal): void {
  const service = remote("service <name>", "what users of a service have now, since when, and its gateways").action(
    act(async (name: string, options: Shared) =>
      (await import("../commands/service.ts")).service(name, options, await connect(options), terminal),
    ),
  );
  service.enablePositionalOptions(); // Options after `adopt` are its own.
  service.addHelpText("after", DOCUMENT_NUMBERS);
  remote("adopt <name>", "take over a release that was put in place from outside; all users go there", service)
    .requiredOption("--url <url>", "where the service answers now")
    .requiredOption("--reason <text>", "kept in the history")
    .action(
      act(async (name: string, options: Shared & { url: string; reason: string }) =>
        (await import("../commands/service.ts")).serviceAdopt(name, options, await connect(options), terminal),
      ),
    );
}
