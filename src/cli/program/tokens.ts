import { type Command, Option } from "commander";
import { SCOPE_NAMES, SCOPES, type Scope } from "../../contract/scope.ts";
import { ControllerClient } from "../controller-client.ts";
import type { Terminal } from "../terminal.ts";
import { type Act, DATA_DIR, type Shared, type Verb } from "./options.ts";

const connect = ({ controller, data }: Shared) =>
  ControllerClient.connect({ controller: controller ?? null, dataDir: data });

/** Credentials for command lines, gateways and pipelines on other machines. */
export function addTokens(program: Command, remote: Verb, verb: Verb, act: Act, terminal: Terminal): void {
  const token = program.command("token").description("credentials for other machines").exitOverride();
  const says = SCOPE_NAMES.map((scope) => `${scope}: ${SCOPES[scope].says}`).join("; ");
  remote("create <name>", "make a token and show it once, with the command that hands it over", token)
    .addOption(new Option("--scope <scope>", says).choices(SCOPE_NAMES).makeOptionMandatory())
    .option("--expires <duration>", "how long it counts, e.g. 720h; without it until it is revoked")
    .action(
      act(async (name: string, options: Shared & { scope: Scope; expires?: string }) => {
        const { json, scope, expires = null } = options;
        const { tokenCreate } = await import("../commands/token.ts");
        return tokenCreate(name, { json, scope, expires }, await connect(options), terminal);
      }),
    );
  remote("list", "tokens that were handed out, their scopes and ends", token).action(
    act(async (options: Shared) =>
      (await import("../commands/token.ts")).tokenList(options, await connect(options), terminal),
    ),
  );
  remote("revoke <name>", "believe a token no longer", token).action(
    act(async (name: string, options: Shared) =>
      (await import("../commands/token.ts")).tokenRevoke(name, options, await connect(options), terminal),
    ),
  );
  verb("use", "keep a token from standard input for the controller of another machine", token)
    .requiredOption("--controller <url>", "the controller it is for; it is sent nowhere else")
    .option("--gateway", "for gateways of this machine, not for commands", false)
    .option("--controller-key <key>", "its public key, with --gateway: whose documents count")
    .option("--data <dir>", "data directory of this machine", DATA_DIR)
    .action(
      act(
        async (options: {
          json: boolean;
          data: string;
          controller: string;
          gateway: boolean;
          controllerKey?: string;
        }) => (await import("../commands/token.ts")).tokenUse(options, terminal),
      ),
    );
}

/** The key that routing documents are signed with. */
export function addKey(program: Command, remote: Verb, act: Act, terminal: Terminal): void {
  const key = program.command("key").description("the key that routing documents are signed with").exitOverride();
  remote("show", "the public key, for gateways on other machines", key).action(
    act(async (options: Shared) =>
      (await import("../commands/key.ts")).keyShow(options, await connect(options), terminal),
    ),
  );
  remote("rotate", "sign with a new key from now on; gateways follow it and refuse the one before", key).action(
    act(async (options: Shared) =>
      (await import("../commands/key.ts")).keyRotate(options, await connect(options), terminal),
    ),
  );
}
