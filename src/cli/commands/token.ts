import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import type { TokenAnswer } from "../../contract/credentials.ts";
import { SCOPES, type Scope } from "../../contract/scope.ts";
import { keepCredential } from "../../host/controller-address.ts";
import { parseKnownKeys, writeKnownKeys } from "../../host/known-keys.ts";
import { TOKEN_FILES } from "../../host/token-file.ts";
import { parseDurationMs } from "../../spec/duration.ts";
import { CliError } from "../cli-error.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

const SECRET_BYTES = 32;

/**
 * `sluice token create NAME --scope SCOPE`: makes a secret here, has the controller keep its hash, and shows it once
 * with the command that puts it in place on the other machine.
 */
export async function tokenCreate(
  name: string,
  options: { json: boolean; scope: Scope; expires: string | null },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { scope, expires } = options;
  const lifeMs = expires === null ? null : parseDurationMs(expires);
  if (expires !== null && lifeMs === null)
    throw new CliError(EXIT.badUsage, `found --expires "${expires}", expected a duration, e.g. 12h or 720h`);
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const answer = await client.post("/v1/tokens", {}, { name, scope, secret, expires_in_ms: lifeMs });
  const key = scope === "gateway" ? await publicKeyOf(client) : null;
  if (options.json)
    terminal.data(JSON.stringify({ ...answer, secret, ...(key === null ? {} : { controller_key: key }) }));
  else {
    const until = answer.expires_at === null ? "until revoked" : `until ${new Date(answer.expires_at).toISOString()}`;
    terminal.say(`token ${name}, ${scope}: ${SCOPES[scope].says}; ${until}; shown this once, put it in place with`);
    const kind = scope !== "gateway" ? "" : key === null ? " --gateway" : ` --gateway --controller-key ${key}`;
    terminal.data(`echo ${secret} | sluice token use --controller ${client.url}${kind}`);
  }
  return EXIT.ok;
}

/** What tells gateways elsewhere whose documents count; null for a controller that signs none. */
async function publicKeyOf(client: ControllerClient): Promise<string | null> {
  const answer = await client.get("/v1/key", {}).catch(() => null);
  return answer?.public_key ?? null;
}

/** `sluice token list`: names, scopes and ends; never a secret. */
export async function tokenList(
  options: { json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { tokens } = await client.get("/v1/tokens", {});
  if (options.json) terminal.data(JSON.stringify({ tokens }));
  else if (tokens.length === 0)
    terminal.say("no token was handed out; make one with: sluice token create NAME --scope view");
  else for (const token of tokens) terminal.data(tokenLine(token));
  return EXIT.ok;
}

function tokenLine({ name, scope, expires_at: expiresAt, revoked_at: revokedAt }: TokenAnswer): string {
  const end = (word: string, at: number) => `${word} ${new Date(at).toISOString()}`;
  const state =
    revokedAt !== null ? end("revoked", revokedAt) : expiresAt === null ? "until revoked" : end("until", expiresAt);
  return `${name.padEnd(24)} ${scope.padEnd(10)} ${state}`;
}

/** `sluice token revoke NAME`: nobody is believed with it any more. */
export async function tokenRevoke(
  name: string,
  options: { json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const answer = await client.post("/v1/tokens/{name}/revoke", { name }, {});
  if (options.json) terminal.data(JSON.stringify(answer));
  else terminal.say(`token ${name} is revoked`);
  return EXIT.ok;
}

/** `sluice token use --controller URL`: keeps a secret from standard input in the data directory of this machine. */
export async function tokenUse(
  options: { json: boolean; data: string; controller: string; gateway: boolean; controllerKey?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const { data, controller, gateway, controllerKey } = options;
  if (controllerKey !== undefined && !gateway)
    throw new CliError(EXIT.badUsage, "--controller-key is for gateways: say --gateway too, or leave it out");
  const keys = controllerKey === undefined ? null : parseKnownKeys(controllerKey, "--controller-key");
  const token = (await textOf(process.stdin)).trim();
  if (!/^[\w-]{43}$/.test(token))
    throw new CliError(
      EXIT.badUsage,
      "expected a token of 43 characters on standard input, as `token create` shows it",
    );
  await mkdir(data, { recursive: true, mode: 0o700 });
  await keepCredential(data, { url: controller, token }, gateway ? TOKEN_FILES.gateway : TOKEN_FILES.admin);
  if (keys !== null) await writeKnownKeys(data, keys);
  if (options.json) terminal.data(JSON.stringify({ data, controller }));
  else terminal.say(`${data} speaks to ${controller} with this token from now on`);
  return EXIT.ok;
}
