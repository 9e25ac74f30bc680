import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aManifest } from "../controller/world.ts";
import { type RunningSluice, startSluice, temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

const SERVICE = "desk";
const USERS = 120;

/** What users may have between two moments: the stable release, and a candidate where one is being tried. */
interface Period {
  readonly sinceMs: number;
  readonly allowed: readonly string[];
}

interface GatewayEvent {
  readonly ts: string;
  readonly release_id: string;
  readonly sticky: string;
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let controller: RunningSluice;
let gateway: RunningSluice;
let gatewayUrl = "";
const origins: { readonly server: Server; readonly url: string; release: string }[] = [];
const periods: Period[] = [];
const inFolder = (name: string) => join(folder.path, name);

/** A service of one release that answers its manifest on every path. */
async function origin(release: string): Promise<void> {
  const one = { server: createServer(), url: "", release };
  one.server.on("request", (_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ ready: true, ...aManifest({ release_id: one.release }) }));
  });
  one.server.listen(0, "127.0.0.1");
  await once(one.server, "listening");
  origins.push({ ...one, url: `http://127.0.0.1:${(one.server.address() as AddressInfo).port}/answer` });
}

const urlOf = (number: number) => origins[number - 1]?.url ?? "";

/** A document from whatever is served to one of the services. */
async function document(name: string, candidate: number, weight = 30): Promise<string> {
  const text = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: ${SERVICE}
  stable: current
  startsFrom: { url: "${urlOf(1)}", release: r1 }
  candidate: { url: "${urlOf(candidate)}", release: r${candidate} }
  route: { driver: gateway, listen: "127.0.0.1:0", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: ${weight}, hold: 1h }], watch: 1h } }
  gates: [{ use: default }]
`;
  await writeFile(inFolder(`${name}.yaml`), text);
  return inFolder(`${name}.yaml`);
}

/** Commands run in this process: starting one takes longer than what it does. Controller and gateway have their own. */
const sluice = (...argv: string[]) => sluiceInProcess(...argv, "--data", inFolder("data"));

/** Runs a command and demands its exit code; its words come back. */
async function must(code: number, ...argv: string[]): Promise<string> {
  const { code: found, stdout, stderr } = await sluice(...argv);
  expect([argv.join(" "), found, found === code ? "" : stderr]).toEqual([argv.join(" "), code, ""]);
  return stdout + stderr;
}

/** What a command answers, or null where there was none: a controller on a busy machine may be late to speak. */
async function answerOf<T>(...argv: string[]): Promise<T | null> {
  const { stdout } = await sluice(...argv, "--json");
  return stdout === "" ? null : (JSON.parse(stdout) as T);
}

async function until(name: string, isThere: (status: { phase: string; held_ms: number }) => boolean): Promise<void> {
  for (;;) {
    const status = await answerOf<{ phase: string; held_ms: number }>("status", name);
    if (status !== null && isThere(status)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const isHeld = ({ phase, held_ms: heldMs }: { phase: string; held_ms: number }) =>
  phase === "progressing" && heldMs > 0;

/** From now on users may have these releases; what was allowed before stays so until this is settled. */
function allow(...allowed: readonly string[]): void {
  periods.push({ sinceMs: Date.now(), allowed });
}

/** Every user asks once. */
async function round(): Promise<void> {
  const ask = (user: number) => fetch(gatewayUrl, { headers: { "x-user-id": `u${user}` } }).then((one) => one.text());
  await Promise.all(Array.from({ length: USERS }, (_, user) => ask(user)));
}

async function killController(): Promise<void> {
  await controller.stop("SIGKILL");
  await round(); // Users are served while nobody orders anything.
  controller = startSluice(["serve", "--json", "--data", inFolder("data"), "--port", "0"]);
  await controller.ready;
  for (;;) {
    const service = await answerOf<{ gateways: unknown[] }>("service", SERVICE);
    if (service !== null && service.gateways.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function events(): Promise<readonly GatewayEvent[]> {
  const lines = (await readFile(inFolder("events.ndjson"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line) as GatewayEvent);
}

/**
 * Reads the gateway's own log: in no period had anybody a release that neither a stage nor a way back gave him. An
 * order is carried out a moment after it is given, so what the period before allowed counts until the next round of
 * users.
 */
async function strangers(): Promise<readonly string[]> {
  const seen = await events();
  expect(seen.length).toBeGreaterThan(USERS * 10);
  return seen.flatMap(({ ts, release_id: release, sticky }) => {
    const at = Date.parse(ts);
    const period = periods.findLast(({ sinceMs }) => sinceMs <= at);
    return period?.allowed.includes(release) === true ? [] : [`${ts} ${sticky} had ${release}`];
  });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const release of ["r1", "r2", "r3", "r4", "r5"]) await origin(release);
  controller = startSluice(["serve", "--json", "--data", inFolder("data"), "--port", "0"]);
  await controller.ready;
  allow("r1");
  const first = await document("one", 2);
  gateway = startSluice([
    "gateway",
    first,
    "--json",
    "--data",
    inFolder("data"),
    "--events",
    inFolder("events.ndjson"),
  ]);
  gatewayUrl = String((await gateway.ready)["url"]);
}, 120_000);
afterAll(async () => {
  await gateway.stop();
  await controller.stop();
  for (const { server } of origins) server.close();
  await folder.remove();
}, 60_000);

describe("the first five releases of a service, with the controller killed between all of them", () => {
  const isTold = (text: string, words: string) => expect(text).toContain(words);

  it("moves nobody but by a stage or a way back, by the gateway's own log", { timeout: 600_000 }, async () => {
    await round();
    // The first release: promoted by hand, then the same document once more, as a pipeline that runs twice does.
    allow("r1", "r2");
    await must(0, "apply", inFolder("one.yaml"));
    await until("one", isHeld);
    await round();
    isTold(await must(1, "promote", "one"), "sluice promote one --despite");
    await must(0, "promote", "one", "--full", "--despite");
    await until("one", isHeld);
    await must(0, "promote", "one");
    await until("one", ({ phase }) => phase === "promoted");
    allow("r2");
    await round();
    isTold(await must(0, "apply", inFolder("one.yaml")), "nothing to do: rollout one, generation 1, is promoted");
    await round();
    await killController();

    // The second: aborted. A document that says stable is the first release is refused, and moves nobody.
    const old = await document("old", 3);
    await writeFile(
      old,
      (await readFile(old, "utf8")).replace(/stable: current\n.*\n/, `stable: { url: "${urlOf(1)}" }\n`),
    );
    isTold(await must(13, "apply", old), `serves ${urlOf(2)}`);
    isTold(await must(13, "plan", old), "stable: current");
    await round();
    allow("r2", "r3");
    await must(0, "apply", await document("two", 3));
    await until("two", isHeld);
    await round();
    await killController();
    await must(0, "abort", "two");
    await until("two", ({ phase }) => phase === "aborted");
    allow("r2");
    await round();
    isTold(await must(0, "abort", "two"), "nothing to do");
    await must(12, "apply", inFolder("two.yaml"));

    // Once more, now promoted; and the promotion taken back.
    allow("r2", "r3");
    await must(0, "retry", "two");
    await until("two", isHeld);
    await must(0, "promote", "two", "--full", "--despite");
    await until("two", isHeld);
    await must(0, "promote", "two");
    await until("two", ({ phase }) => phase === "promoted");
    allow("r3");
    await round();
    await killController();
    isTold(await must(13, "rollback", "one"), "sluice rollback two");
    allow("r2", "r3");
    await must(0, "rollback", "two");
    await until("two", ({ phase }) => phase === "rolled-back");
    allow("r2");
    await round();

    // The fourth and the fifth: promoted one after the other, with a kill in the middle of the first.
    for (const [name, number] of [
      ["three", 4],
      ["four", 5],
    ] as const) {
      const before = name === "three" ? "r2" : "r4";
      allow(before, `r${number}`);
      await must(0, "apply", await document(name, number));
      await until(name, isHeld);
      await round();
      await killController();
      await until(name, isHeld);
      await must(0, "promote", name, "--full", "--despite");
      await until(name, isHeld);
      await must(0, "promote", name);
      await until(name, ({ phase }) => phase === "promoted");
      allow(`r${number}`);
      await round();
    }
    const service = JSON.parse((await sluice("service", SERVICE, "--json")).stdout) as {
      pointer: { url: string };
      history: { cause: string; release_id: string }[];
    };
    expect(service.pointer.url).toBe(urlOf(5));
    expect(service.history.map(({ cause, release_id: release }) => `${cause} ${release}`)).toEqual([
      "created r1",
      "promoted r2",
      "promoted r3",
      "rolled-back r2",
      "promoted r4",
      "promoted r5",
    ]);
    await new Promise((resolve) => setTimeout(resolve, 500)); // The log is written a moment after the answers.
    expect(await strangers()).toEqual([]);
  });
});
