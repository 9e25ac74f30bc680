import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import { ControllerClient } from "../controller-client.ts";
import { EXIT } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import type { FaultProxyOptions } from "../commands/fault-proxy.ts";
import { type Act, port, type Shared, type Verb } from "./options.ts";

const connect = ({ controller, data }: Shared) =>
  ControllerClient.connect({ controller: controller ?? null, dataDir: data });

/** Commands about failover drills: all but `plan` need a controller. */
export function addDrills(program: Command, remote: Verb, verb: Verb, act: Act, terminal: Terminal): void {
  const drill = program.command("drill").description("failover drills: leave a region and come home").exitOverride();
  const command = () => import("../commands/drill.ts");
  verb("plan <file>", "steps, bounds and blast radius of a drill, or of a page's JSON alone", drill).action(
    act(async (file: string, options: { json: boolean }) => (await command()).drillPlan(file, options, terminal)),
  );
  remote("run <file>", "hand a drill to the controller; it begins when every check allows it", drill)
    .option("--watch", "stay until it ends", false)
    .action(
      act(async (file: string, options: Shared & { watch: boolean }) =>
        (await command()).drillRun(file, options, await connect(options), terminal),
      ),
    );
  remote("status [drill]", "where one drill stands, step by step, or all of them", drill)
    .option("--watch", "stay until it ends", false)
    .action(
      act(async (id: string | undefined, options: Shared & { watch: boolean }) =>
        (await command()).drillStatus(id ?? null, options, await connect(options), terminal),
      ),
    );
  remote("abort [drill]", "end a drill: whoever left comes home by the checks", drill)
    .addOption(new Option("--all", "every drill that runs or waits: the kill switch").default(false))
    .option("--reason <text>", "why", "")
    .option("--watch", "stay until it ends", false)
    .action(
      act(async (id: string | undefined, options: Shared & { all: boolean; reason: string; watch: boolean }) => {
        const { drillAbortAll, drillWord } = await command();
        if (options.all) return drillAbortAll(options, await connect(options), terminal);
        if (id === undefined) throw new CliError(EXIT.badUsage, "missing the name of a drill; or --all of them");
        return drillWord("abort", id, options, await connect(options), terminal);
      }),
    );
  for (const [word, says] of [
    ["home", "a region that stayed evacuated comes home by the checks"],
    ["approve", "say yes to a drill that somebody else asked for"],
  ] as const) {
    remote(`${word} <drill>`, says, drill)
      .option("--reason <text>", "why", "")
      .option("--watch", "stay until it ends", false)
      .action(
        act(async (id: string, options: Shared & { reason: string; watch: boolean }) =>
          (await command()).drillWord(word, id, options, await connect(options), terminal),
        ),
      );
  }
  addFaultProxy(drill, verb, act, terminal);
  remote("report <drill>", "the evidence of a drill, chained and signed", drill)
    .addOption(new Option("--format <format>", "how it is written").choices(["md", "json", "html"]).default("md"))
    .action(
      act(async (id: string, options: Shared & { format: string }) =>
        (await command()).drillReport(id, options.format, await connect(options), terminal),
      ),
    );
}

function addFaultProxy(drill: Command, verb: Verb, act: Act, terminal: Terminal): void {
  verb(
    "fault-proxy",
    "stands before a region and breaks it while a drill says so, for 30 s at most without a word",
    drill,
  )
    .requiredOption("--target <url>", "origin of the region, such as http://127.0.0.1:4001")
    .option("--listen <n>", "port on 127.0.0.1 that the region is reached by, 0 for a free one", port, 0)
    .option("--agent <n>", "port on 127.0.0.1 where the controller says what to break, 0 for a free one", port, 0)
    .option("--health", "stands before health and rebuild: skews what the index is said to be", false)
    .action(
      act(async (options: FaultProxyOptions) =>
        (await import("../commands/fault-proxy.ts")).faultProxyCommand(options, terminal),
      ),
    );
}
