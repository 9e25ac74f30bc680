import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayHeard } from "./gateway-heard.ts";
import { type RunningSluice, startSluice, temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

/** More than one window tells of: what is left of these has to be enough for a proof on any machine. */
const USERS = 3_200;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let controller: RunningSluice;
let gateway: RunningSluice;
let gatewayUrl = "";
const servers: Server[] = [];
const inFolder = (name: string) => join(folder.path, name);
const sluice = (...argv: string[]) => sluiceInProcess(...argv, "--data", inFolder("data"));

/** A service that refuses every so many answers, and says so and what each took. */
async function origin(refusesEvery: number, cost: number): Promise<string> {
  let answers = 0;
  const server = createServer((_request, response) => {
    const refused = ++answers % refusesEvery === 0;
    const word = { answer: { refused }, usage: { input_tokens: 700, output_tokens: 200 + (answers % 50), cost } };
    response.writeHead(200, { "x-sluice-event": JSON.stringify(word) }).end("an answer");
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`;
}

const documentOf = (name: string, stable: string, candidate: string, more = "") => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: desk
  stable: { url: "${stable}", health: null }
  candidate: { url: "${candidate}", health: null }
  route: { driver: gateway, listen: "127.0.0.1:0", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 25, hold: 1h }], watch: 1h } }
  gates:
    - use: default
    - use: llm
${more}`;

async function round(): Promise<void> {
  const ask = async (user: number) => {
    await fetch(gatewayUrl, { headers: { "x-user-id": `u${user}` } }).then((one) => one.text());
  };
  for (let first = 0; first < USERS; first += 50)
    await Promise.all(Array.from({ length: 50 }, (_, at) => ask(first + at)));
}

interface Status {
  readonly phase: string;
  readonly share: { readonly ordered_bp: number };
  readonly verdicts: readonly { gate: string; verdict: string; reason: string; needs: string | null }[];
  readonly not_watched: readonly string[];
  readonly cause: { readonly gate: string } | null;
}
const statusOf = async (name: string) => JSON.parse((await sluice("status", name, "--json")).stdout) as Status;

async function drive(name: string, isThere: (status: Status) => boolean): Promise<Status> {
  for (let at = 0; at < 30; at++) {
    const status = await statusOf(name);
    if (isThere(status)) return status;
    await round();
  }
  return statusOf(name);
}

const verdictOf = ({ verdicts }: Status, name: string) => verdicts.find(({ gate }) => gate === name);

beforeAll(async () => {
  folder = await temporaryFolder();
  const urls = [await origin(50, 0.01), await origin(6, 0.02)] as const;
  await writeFile(inFolder("soft.yaml"), documentOf("soft", ...urls));
  await writeFile(inFolder("hard.yaml"), documentOf("hard", ...urls, "    - { gate: refusals, onHarm: stop }\n"));
  controller = startSluice(["serve", "--json", "--data", inFolder("data"), "--port", "0"]);
  const controllerUrl = String((await controller.ready)["url"]);
  gateway = startSluice(["gateway", inFolder("soft.yaml"), "--json", "--data", inFolder("data")]);
  gatewayUrl = String((await gateway.ready)["url"]);
  await gatewayHeard(controllerUrl, inFolder("data"));
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await controller.stop();
  for (const server of servers) server.close();
  await folder.remove();
}, 60_000);

describe("answers that are refused more often and cost twice as much, in a gateway and a controller as they are run", () => {
  it("hold the share and ask, or stop where the document says so", { timeout: 240_000 }, async () => {
    expect(await sluice("apply", inFolder("soft.yaml"))).toMatchObject({ code: 0 });
    const isAsking = (status: Status) =>
      verdictOf(status, "input-tokens")?.verdict === "pass" &&
      ["refusals", "cost-per-answer"].every((gate) => verdictOf(status, gate)?.needs?.startsWith("a person") === true);
    const held = await drive("soft", isAsking);
    expect(verdictOf(held, "refusals"), JSON.stringify(held.verdicts)).toMatchObject({ verdict: "inconclusive" });
    expect(verdictOf(held, "refusals")?.reason).toMatch(
      /\(met by \d+ and \d+ users\): more than chance allows, so the share is held/,
    );
    expect(verdictOf(held, "cost-per-answer")?.reason).toContain(
      "cost an answer 0.02 against 0.01 on stable (2.00x, mean over users)",
    );
    expect(verdictOf(held, "input-tokens"), JSON.stringify(verdictOf(held, "input-tokens"))).toMatchObject({
      verdict: "pass",
    });
    expect([held.phase, held.share.ordered_bp, held.cause]).toEqual(["progressing", 2_500, null]);
    expect(held.not_watched).toEqual(["truncations", "thumbs-down", "regenerations"]);
    const { stdout } = await sluice("status", "soft");
    expect(stdout).toContain("not watched   truncations, thumbs-down, regenerations");
    expect(Number(/ candidate \(of (\d+) users\)/.exec(stdout)?.[1])).toBeGreaterThan(20);
    expect(await sluice("abort", "soft", "--reason", "a person decided")).toMatchObject({ code: 0 });
    // Until its gateway has confirmed, the service has a rollout that is not over.
    expect(await drive("soft", ({ phase }) => phase === "aborted")).toMatchObject({ phase: "aborted" });

    expect(await sluice("apply", inFolder("hard.yaml"))).toMatchObject({ code: 0 });
    const stopped = await drive("hard", ({ phase }) => phase === "rolled-back");
    expect([stopped.phase, stopped.cause?.gate]).toEqual(["rolled-back", "refusals"]);
  });
});
