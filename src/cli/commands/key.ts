import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice key show`: the public key, for gateways on other machines. */
export async function keyShow(
  options: { json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const answer = await client.get("/v1/key", {});
  if (options.json) terminal.data(JSON.stringify(answer));
  else {
    const before = answer.retired.at(-1);
    const since = before === undefined ? "" : `, followed ${before.kid}`;
    terminal.say(`key ${answer.kid}${since}; public, for --controller-key of gateways on other machines:`);
    terminal.data(answer.public_key);
  }
  return EXIT.ok;
}

/** `sluice key rotate`: a new key signs from now on; gateways follow, because the key before tells them to. */
export async function keyRotate(
  options: { json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { kid } = await client.get("/v1/key", {});
  const answer = await client.post("/v1/key/rotate", {}, { from: kid });
  if (options.json) terminal.data(JSON.stringify(answer));
  else {
    terminal.say(`key ${answer.kid} signs from now on; gateways follow by themselves and refuse ${kid} then`);
    terminal.say("those that were started with --controller-key are to be given the new one at their next start:");
    terminal.data(answer.public_key);
  }
  return EXIT.ok;
}
