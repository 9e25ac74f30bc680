import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice gateways`: every gateway that counts, what it said last and what it may still send to a candidate. */
export async function gateways(
  options: { json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const answer = await client.get("/v1/gateways", {});
  if (options.json) {
    terminal.data(JSON.stringify(answer));
    return EXIT.ok;
  }
  if (answer.gateways.length === 0) terminal.data("no gateway has reported yet");
  for (const { gateway_id: id, service, text } of answer.gateways)
    terminal.data(`${terminal.paint("strong", id)}  ${service}  ${text}`);
  for (const { gateway_id: id, service, at, why, by, reason } of answer.gone.filter((one) => one.why === "forgotten"))
    terminal.data(`${id}  ${service}  ${why} ${new Date(at).toISOString().slice(0, 19)}Z by ${by}: ${reason}`);
  return EXIT.ok;
}

/** `sluice gateways forget ID`: nothing waits for it any more. One that is alive counts again with its next report. */
export async function gatewaysForget(
  id: string,
  options: { json: boolean; reason: string },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { reason } = options;
  const answer = await client.post("/v1/gateways/{id}/forget", { id }, { reason });
  if (options.json) terminal.data(JSON.stringify(answer));
  else terminal.say(`gateway ${answer.gateway_id} of ${answer.service} is taken for gone; nothing waits for it`);
  return EXIT.ok;
}
