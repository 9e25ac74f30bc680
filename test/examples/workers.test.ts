import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayHeard } from "../cli/gateway-heard.ts";
import { hasPython } from "../integration/fence/servers.ts";
import { Served, SERVICE } from "../integration/served/world.ts";

const FOLDER = fileURLToPath(new URL("../../examples/workers/", import.meta.url));
const STRATEGY = "{ blueGreen: { effects: true, freeze: 30s, hold: 1s, stepWithin: 20s } }";

interface Told {
  readonly release: string;
  readonly acts: boolean;
  readonly token: number | null;
  readonly reason: string;
}

/** One example as a user runs it, and every line that it and the others said, in order of arrival. */
function begin(command: readonly string[], release: string, served: Served, token: string, told: Told[]): ChildProcess {
  const [file = "", ...argv] = command;
  const more = ["--controller", served.controllerUrl, "--service", SERVICE, "--release", release];
  const env = { ...process.env, SLUICE_TOKEN: token };
  const child = spawn(file, [...argv, ...more], { cwd: FOLDER, env, stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: child.stdout }).on("line", (line) => told.push(JSON.parse(line) as Told));
  return child;
}

describe.skipIf(!hasPython())("examples/workers beside a real controller", () => {
  let served: Served;
  const children: ChildProcess[] = [];
  const told: Told[] = [];
  const lastOf = (release: string) => told.findLast((line) => line.release === release);
  /** Each asks once a second, so it may hear of the change a moment later than the other. */
  const isToldOf = (release: string, other: string) => async () =>
    lastOf(release)?.acts === false && lastOf(release)?.reason.includes(`${other} acts`) === true;
  const acts = (release: string) => async () => lastOf(release)?.acts === true;

  beforeAll(async () => {
    served = await Served.open(15_000);
    await gatewayHeard(served.controllerUrl, served.dataDir);
    const admin = (await readFile(`${served.dataDir}/token`, "utf8")).trim();
    const made = await served.sluice("token", "create", "workers", "--scope", "worker", "--json");
    const { secret } = JSON.parse(made.stdout) as { readonly secret: string };
    expect(secret).not.toBe(admin);
    children.push(
      begin(["python3", "worker.py"], "r-stable", served, secret, told),
      begin([process.execPath, "worker.mjs"], "r-candidate", served, secret, told),
    );
  }, 180_000);
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await (served as Served | undefined)?.close();
  });

  it("one of them acts at every time, whichever release has the effects, in Python as in Node.js", async () => {
    await served.until(
      "a word of both",
      async () => lastOf("r-stable") !== undefined && lastOf("r-candidate") !== undefined,
    );
    expect(told.filter((line) => line.acts)).toEqual([]); // Nobody has served the service yet.
    await served.must(0, "apply", await served.documentOf("move", STRATEGY), "--watch");
    await served.until("the candidate's worker acts", acts("r-candidate"));
    await served.until("the other's word", isToldOf("r-stable", "r-candidate"));
    await served.must(0, "rollback", "move");
    await served.until("stable's worker acts", acts("r-stable"));
    await served.until("the other's word", isToldOf("r-candidate", "r-stable"));
    const acting = told.filter((line) => line.acts);
    const changes = acting.filter(({ release }, place) => place > 0 && release !== acting[place - 1]?.release);
    expect(changes.map(({ release }) => release)).toEqual(["r-stable"]);
    const tokens = acting.map(({ token }) => token ?? 0);
    expect(tokens).toEqual(tokens.toSorted((left, right) => left - right));
  }, 240_000);

  it("ends in order when it is told to", async () => {
    for (const child of children) {
      child.kill("SIGTERM");
      expect((await once(child, "exit"))[0]).toBe(0);
    }
  }, 30_000);

  it("may not act when nobody answers", async () => {
    await served.controller.stop("SIGKILL");
    const before = told.length;
    const child = begin(["python3", "worker.py"], "r-stable", served, "none", told);
    children.push(child);
    await served.until("a word of it", async () =>
      told.slice(before).some(({ reason }) => reason.includes("could not")),
    );
    expect(told.slice(before).some((line) => line.acts)).toBe(false);
  }, 60_000);
});
