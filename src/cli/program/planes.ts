import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import { type Act, collect, integer, type Shared, type Verb } from "./options.ts";

/** How a data plane is told whose documents to believe. */
export function ofFollower(command: Command): Command {
  return command
    .option(
      "--controller-key <key|file>",
      "public key of the controller, when its data directory is elsewhere",
      collect,
      [],
    )
    .option("--accept-unsigned", "take routing documents from whoever answers, signed or not", false);
}

export interface FollowerFlags {
  readonly controllerKey: readonly string[];
  readonly acceptUnsigned: boolean;
}

type Given = Shared & FollowerFlags & { readonly haproxy: string; readonly threads?: number };

/** Agents beside products that carry requests. */
export function addPlanes(program: Command, remote: Verb, act: Act, terminal: Terminal): void {
  const plane = program.command("plane").description("agents beside products that carry requests").exitOverride();
  ofFollower(remote("haproxy <file>", "HAProxy carries the service's requests, an agent beside it decides", plane))
    .option("--haproxy <program>", "the program, 2.6 or later", "haproxy")
    .option("--threads <n>", "its threads; one a core without", integer(1, 64))
    .action(
      act(async (file: string, options: Given) => {
        const { haproxy } = await import("../commands/haproxy.ts");
        const { json, data: dataDir, controller = null, haproxy: name, threads = null } = options;
        const keys = { controllerKeys: options.controllerKey, acceptsUnsigned: options.acceptUnsigned };
        return haproxy(file, { json, dataDir, controller, region: null, program: name, threads, ...keys }, terminal);
      }),
    );
}
