import type { PointerAnswer, ServiceAnswer } from "../../contract/services.ts";
import type { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

function since({ since: { process, generation, at } }: PointerAnswer): string {
  const who = generation === null ? process : `rollout ${process}, generation ${generation}`;
  return `since ${new Date(at).toISOString().slice(0, 19)}Z (${who})`;
}

function lines(answer: ServiceAnswer, terminal: Terminal): readonly string[] {
  const { pointer, running, document, history, gateways } = answer;
  const now =
    pointer === null ? "no release yet: its first split makes stable known" : `${pointer.release_id} at ${pointer.url}`;
  const share =
    document === null
      ? ""
      : `, document ${document.epoch}.${document.seq}, ${document.candidate_bp / 100} % on a candidate`;
  return [
    `${terminal.paint("strong", answer.service)}  ${now}`,
    ...(pointer === null ? [] : [`  ${since(pointer)}, epoch ${pointer.epoch}`]),
    running === null ? "  no rollout runs" : `  rollout ${running.id} is ${running.phase}${share}`,
    gateways.length === 0
      ? "  no gateway is connected"
      : `  gateways ${gateways.map(({ gateway_id: id, adopted }) => `${id} (${adopted.epoch}.${adopted.seq})`).join(", ")}`,
    ...(history.length === 0 ? [] : ["  history, newest first"]),
    ...[...history].reverse().map((move) => {
      const why = move.reason === "" ? "" : `: ${move.reason}`;
      return `    ${new Date(move.since.at).toISOString().slice(0, 19)}Z  ${move.cause} ${move.release_id} at ${move.url}, by ${move.by}${why}`;
    }),
  ];
}

/** `sluice service NAME`: what the service's users have now, how that came about, and its gateways. */
export async function service(
  name: string,
  options: { json: boolean },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const answer = await client.get("/v1/services/{service}", { service: name });
  if (options.json) terminal.data(JSON.stringify(answer));
  else for (const line of lines(answer, terminal)) terminal.data(line);
  return EXIT.ok;
}

/** `sluice service adopt NAME`: takes over what was changed from outside; every user goes there. */
export async function serviceAdopt(
  name: string,
  options: { json: boolean; url: string; reason: string },
  client: ControllerClient,
  terminal: Terminal,
): Promise<ExitCode> {
  const { url, reason } = options;
  const answer = await client.post("/v1/services/{service}/adopt", { service: name }, { url, reason });
  if (options.json) terminal.data(JSON.stringify(answer));
  else if (answer.outcome === "held") terminal.say(`nothing to do: service ${name} is at ${answer.url} already`);
  else terminal.say(`service ${name} is at ${answer.url} now (epoch ${answer.epoch}); all its users are sent there`);
  return EXIT.ok;
}
