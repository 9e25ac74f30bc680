import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { doctor } from "../../src/cli/commands/doctor.ts";
import { explain } from "../../src/cli/commands/explain.ts";
import { init } from "../../src/cli/commands/init.ts";
import { mapTry } from "../../src/cli/commands/map-try.ts";
import { validate } from "../../src/cli/commands/validate.ts";
import { status } from "../../src/cli/commands/status.ts";
import { watch } from "../../src/cli/commands/watch.ts";
import { CliError } from "../../src/cli/cli-error.ts";
import { ControllerClient, UNREACHABLE } from "../../src/cli/controller-client.ts";
import { EXIT } from "../../src/cli/exit-code.ts";
import { checkStable } from "../../src/cli/known-stable.ts";
import { readDocument } from "../../src/cli/read-document.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { lockDataDirectory } from "../../src/host/data-directory-lock.ts";
import { nextAction } from "../../src/controller/next-action.ts";
import type { Status } from "../../src/contract/status.ts";
import { statusWire } from "../../src/controller/status.ts";
import { startObservations } from "../../src/core/observe/observe.ts";
import { aRollout, aVerdict, probes, T0, traffic, watch as watching } from "../builders.ts";
import { listen } from "../gateway/world.ts";
import { aProbeReport } from "../probe-report.ts";
import { MAIN, temporaryFolder } from "./run-sluice.ts";

/** A terminal that keeps what it is told. */
function listening() {
  const said: string[] = [];
  const hear = (line: string) => void said.push(line);
  const terminal: Terminal = { data: hear, document: hear, say: hear, isInteractive: false, paint: (_, text) => text };
  return { terminal, said, text: () => said.join("\n") };
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());
afterEach(() => vi.useRealTimers());

async function made(name: string): Promise<string> {
  const path = join(folder.path, name);
  await mkdir(path);
  return path;
}

const NOTHING_SAID = { json: false, trial: false, service: null, stable: null, candidate: null, header: null };

describe("init without a terminal", () => {
  it("says which of its answers nobody gave, and to ask the doctor first", async () => {
    const { terminal, text } = listening();
    const dir = await made("none");
    await init({ ...NOTHING_SAID, dir, stable: "http://127.0.0.1:5101/find" }, terminal);
    expect(text()).toMatch(/examples to replace.*--service my-service, --candidate http\S+, --header x-user-id\)/);
    expect(text()).not.toContain("--stable");
    expect(text().indexOf("sluice doctor")).toBeLessThan(text().indexOf("sluice apply"));
    expect(await readFile(join(dir, "rollout.yaml"), "utf8")).toContain("docs/services/access.md");
  });

  it("says nothing of examples when everything was given", async () => {
    const { terminal, text } = listening();
    const [stable, candidate] = ["http://127.0.0.1:5101/find", "http://127.0.0.1:5102/find"];
    const given = { service: "cook", stable, candidate, header: "x-cook" };
    await init({ ...NOTHING_SAID, ...given, dir: await made("all") }, terminal);
    expect(text()).not.toContain("example");
  });
});

/** What the controller would answer about a rollout with these verdicts, at a share or at its probes. */
function statusOf(verdicts: Status["verdicts"] | readonly ReturnType<typeof aVerdict>[], over: object = {}): Status {
  const { stageIndex = 1, live = 1 } = over as { stageIndex?: number; live?: number };
  const holdingSince = stageIndex === 0 ? null : T0;
  const phase = stageIndex === 0 ? "rolled-back" : "progressing";
  const rollout = aRollout(
    { verdicts: verdicts as ReturnType<typeof aVerdict>[], phase, stageIndex, holdingSince },
    { stages: [probes(), traffic(10, 0), watching()] },
  );
  const stored = { rollout, observations: startObservations(rollout.plan, []), version: 1, createdAt: T0 };
  const planes = { live, silentMs: live === 0 ? 25_000 : 100 };
  return statusWire(stored, null, [], T0, { planes, unitsMet: null });
}

describe("watch", () => {
  /** Watches for some seconds of a fake clock. */
  async function watched(status: Status, seconds: number): Promise<string> {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { terminal, text } = listening();
    const client = { status: () => Promise.resolve(status), events: async function* () {} };
    const done = watch(status.id, { json: false, timeoutS: seconds }, client, terminal);
    await vi.advanceTimersByTimeAsync((seconds + 2) * 1_000);
    await done;
    return text();
  }

  it("says once what is missing when nothing is measured for fifteen seconds", async () => {
    const reason = "none of 900 requests has x-user-id";
    const needs = "requests with x-user-id";
    const silent = statusOf([aVerdict("sample-ratio", "no-data", { reason, needs })]);
    expect(await watched(silent, 10)).toBe("");
    expect(await watched(silent, 60)).toBe(`still waiting: holds until proven: ${reason}; needs ${needs}`);
  });

  it("says that no gateway is heard, and how to start one", async () => {
    const told = await watched(statusOf([aVerdict("error-rate", "inconclusive")], { live: 0 }), 60);
    expect(told).toMatch(/^still waiting: no gateway of \S+ was heard for 25 s, .*sluice gateway FILE$/);
  });

  it("goes on over a restart of the controller, says that it waits, and ends with the rollout's own code", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { terminal, said } = listening();
    const gone = new CliError(EXIT.toolError, "no controller answers", UNREACHABLE);
    const running = statusOf([]);
    const answers: (Status | CliError)[] = [running, running, gone, gone, gone, running];
    const client = {
      status: () => {
        const next = answers.shift() ?? { ...running, exit_code: 0 };
        return next instanceof CliError ? Promise.reject(next) : Promise.resolve(next);
      },
      events: async function* () {},
    };
    const ended = watch("r", { json: false, timeoutS: null }, client, terminal);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await ended).toBe(0);
    expect(said).toEqual([
      "the controller does not answer, waiting for it; users stay where they are",
      "the controller answers again",
    ]);
  });

  it.each([
    [1_000, 15_000, "gateways send everybody to stable after 15 s (120 s after a planned stop) and until it is back"],
    [1_000, null, "users stay where they are"],
    [0, 15_000, "users stay where they are"],
  ])("says what becomes of users at %i bp without a controller, by a lease of %s ms", async (bp, lease_ms, says) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { terminal, text } = listening();
    const known = statusOf([]);
    const running: Status = { ...known, lease_ms, share: { ...known.share, ordered_bp: bp as never } };
    let answered = 0;
    const gone = new CliError(EXIT.toolError, "no controller answers", UNREACHABLE);
    const client = {
      status: () => (answered++ < 2 ? Promise.resolve(running) : Promise.reject(gone)),
      events: async function* () {},
    };
    const ended = watch("r", { json: false, timeoutS: 4 }, client, terminal);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await ended).toBe(EXIT.timeout);
    expect(text()).toBe(`the controller does not answer, waiting for it; ${says}`);
  });

  it("says nothing while traffic is measured", async () => {
    expect(await watched(statusOf([aVerdict("error-rate", "inconclusive")]), 60)).toBe("");
  });
});

describe("what comes next", () => {
  it("names the silence of gateways before any gate, also when none ever spoke", () => {
    const rollout = aRollout(
      { phase: "progressing", stageIndex: 1, holdingSince: T0 },
      { stages: [probes(), traffic(10)] },
    );
    expect(nextAction(rollout, T0, { live: 0, silentMs: null })).toContain("since the controller started");
    expect(nextAction(rollout, T0, { live: 1, silentMs: 0 })).toMatch(/^holds 10%/);
  });
});

describe("explain", () => {
  async function explained(status: Status): Promise<readonly string[]> {
    const { terminal, said } = listening();
    const get = <T>() => Promise.resolve({ plan: { gates: [] }, reports: [] } as T);
    await explain(status.id, null, { json: false }, { status: () => Promise.resolve(status), get }, terminal);
    return said.filter((line) => line.startsWith("gate ")).map((line) => line.replace(/ {2}\(.*/, ""));
  }
  const verdicts = [
    aVerdict("sample-ratio", "no-data"),
    aVerdict("p95-warm", "no-data"),
    aVerdict("lambda", "inconclusive"),
    aVerdict("coverage", "fail"),
    aVerdict("delta-s", "no-data"),
  ];

  it("tells the gate that decided first, and at the probes nothing of gates that wait for users", async () => {
    expect(await explained(statusOf(verdicts, { stageIndex: 0 }))).toEqual([
      "gate coverage FAIL",
      "gate lambda INCONCLUSIVE",
      "gate delta-s NO-DATA",
    ]);
  });

  it("begins with the gate that next: names, whatever the kinds of the others", async () => {
    const waiting = statusOf([aVerdict("sample-ratio", "no-data"), aVerdict("error-rate", "inconclusive")]);
    const next = "holds until proven: sample-ratio is no-data; needs time";
    expect(await explained({ ...waiting, next })).toEqual([
      "gate sample-ratio NO-DATA",
      "gate error-rate INCONCLUSIVE",
    ]);
  });

  it("lists questions that lost coverage under coverage alone, the worst five and how many more", async () => {
    const discordant = Array.from({ length: 14 }, (_, at) => ({ id: `q${at}`, topic: "t", stable: 1, candidate: 0 }));
    const report = { ...aProbeReport(), discordant };
    const { terminal, said } = listening();
    const plan = { rolloutId: "r", generation: 1, gates: [] };
    const get = <T>() => Promise.resolve({ plan, reports: [{ orderId: "r/1/2", report }] } as T);
    const failed = statusOf([aVerdict("coverage", "fail"), aVerdict("delta-s", "fail"), aVerdict("lambda", "fail")]);
    await explain("r", null, { json: false }, { status: () => Promise.resolve(failed), get }, terminal);
    const differs = said.filter((line) => line.startsWith("  differs: "));
    expect(differs).toHaveLength(6);
    expect(differs.at(-1)).toContain("differs: 9 more");
    expect(said.indexOf(differs.at(-1) ?? "")).toBeLessThan(said.findIndex((line) => line.includes("gate delta-s")));
  });

  it("names what failed requests met, at a share as at the probes", async () => {
    const failed = statusOf([aVerdict("error-rate", "fail"), aVerdict("p95-warm", "fail")]);
    const classes = { stable: {}, candidate: { "connect|network|ECONNREFUSED": 4, "headers|5xx|502": 11 } };
    const requests = { stable: 900, candidate: 100 };
    const { terminal, text } = listening();
    const get = <T>() => Promise.resolve({ plan: { gates: [] }, reports: [] } as T);
    const seen = { ...failed, traffic: { ...failed.traffic, classes, requests } };
    await explain("r", null, { json: false }, { status: () => Promise.resolve(seen), get }, terminal);
    const met = text().match(/met: .*/g);
    expect(met).toEqual([
      "met: 11 of 100 requests to the candidate: answered 502",
      "met: 4 of 100 requests to the candidate: found no connection (ECONNREFUSED)",
    ]);
  });

  it("calls a paused rollout paused", async () => {
    const { terminal, said } = listening();
    const get = <T>() => Promise.resolve({ plan: { gates: [] }, reports: [] } as T);
    const paused = { ...statusOf([]), paused: true };
    await explain("r", null, { json: false }, { status: () => Promise.resolve(paused), get }, terminal);
    expect(said[0]).toBe("r is progressing, paused");
  });

  it("tells at a share that traffic gates have no data", async () => {
    expect(await explained(statusOf(verdicts))).toContain("gate sample-ratio NO-DATA");
  });
});

describe("doctor", () => {
  it("says once that a variable is not set, and asks neither arm without it", async () => {
    const dir = await made("unset");
    await init({ ...NOTHING_SAID, dir }, listening().terminal);
    const file = join(dir, "rollout.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("# access: {} ", 'access: { bearer: "${NOBODY_SET_THIS}" } # '));
    const { terminal, said } = listening();
    expect(await doctor(file, { json: false, dataDir: join(dir, "none"), controller: null }, terminal)).not.toBe(0);
    expect(said.filter((line) => line.includes("NOBODY_SET_THIS"))).toHaveLength(1);
    expect(said.join("\n")).not.toMatch(/health [SC]|answer /);
  });
});

describe("validate", () => {
  it("names every file that the document names and nobody can read, at its place", async () => {
    const dir = await made("unread");
    await init({ ...NOTHING_SAID, dir }, listening().terminal);
    const file = join(dir, "rollout.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      text.replace("set: gold.yaml ", "set: none.yaml ").replace("# map: map.yaml ", "map: mapp.yaml "),
    );
    const refusal = await validate(file, { json: false }, listening().terminal).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CliError);
    expect((refusal as CliError).message).toMatch(
      /E139 \S+:\d+:\d+ .*gold set.*none\.yaml.*\n.*\n.*\^+\nE139 .*mapp\.yaml/,
    );
  });
});

describe("a data directory whose owner says nothing", () => {
  it("is not called ownerless: the answer names the process", async () => {
    const dataDir = await made("hung");
    await init({ ...NOTHING_SAID, dir: dataDir }, listening().terminal);
    const document = await readDocument(join(dataDir, "rollout.yaml"));
    const held = await lockDataDirectory(dataDir); // Taken, and not announced: starting, or stopped.
    try {
      await expect(ControllerClient.connect({ controller: null, dataDir })).rejects.toThrow(
        `process ${process.pid} owns ${dataDir} and does not answer`,
      );
      expect(await checkStable(document, { controller: null, dataDir })).toMatchObject({
        says: expect.stringContaining(`process ${process.pid} owns ${dataDir} and did not answer`),
      });
    } finally {
      if (held.kind === "held") await held.lock.release();
    }
    await expect(ControllerClient.connect({ controller: null, dataDir })).rejects.toThrow("no controller owns");
  });
});

describe("status", () => {
  const get = <T>() => Promise.resolve({ rollouts: [statusOf([]), statusOf([], { stageIndex: 0 })] } as T);

  it("has one line for each rollout, and counts stages as plan, watch and report do", async () => {
    const [all, one] = [listening(), listening()];
    const client = { get, status: () => Promise.resolve(statusOf([])) };
    await status(null, { json: false }, client, all.terminal);
    expect(all.said).toHaveLength(2);
    expect(all.said[0]).toContain("1/2: 10%");
    await status("r", { json: false }, client, one.terminal);
    expect(one.text()).toContain("stage   1 (the last is 2): 10%");
  });
});

describe("a cause that no gate gave", () => {
  const text =
    "the gateway vm.03eafb7d went away or did not take the new share: it routes by 11.2, last heard 5.4 s ago";
  const look_at = "the gateway went away; start it, then: sluice retry r";
  const stopped = (): Status => ({
    ...statusOf([], { stageIndex: 0 }),
    cause: { gate: null, stage: 1, at: T0, text, look_at, verdict: null },
  });

  it("is one line of sixty characters in the list, and whole with its advice in status and explain", async () => {
    const [all, one, why] = [listening(), listening(), listening()];
    const list = <T>() => Promise.resolve({ rollouts: [stopped()] } as T);
    const client = { get: list, status: () => Promise.resolve(stopped()) };
    await status(null, { json: false }, client, all.terminal);
    await status("r", { json: false }, client, one.terminal);
    const get = <T>() => Promise.resolve({ plan: { gates: [] }, reports: [] } as T);
    await explain("r", null, { json: false }, { ...client, get }, why.terminal);
    expect(all.said[0]).toMatch(/ {2}the gateway vm\.03eafb7d went away or did not take the new s…$/);
    expect(one.text()).toContain(`cause   ${text}\n  look at ${look_at}`);
    expect(why.said).toContain(`look at: ${look_at}`);
  });
});

describe("map try", () => {
  it("says how to give credentials where the service wants some and none were given", async () => {
    const server = createServer((_, res) => res.writeHead(401).end("no key"));
    const target = `${await listen(server)}/answer`;
    const map = join(await made("map"), "map.yaml");
    await writeFile(
      map,
      "request: { question: /q }\nresponse: { answer: /a, retrieved: /r, passage: { doc: /d, section: /s } }\n",
    );
    const options = { json: false, target, answer: null, question: "why?", k: 3 };
    const [bare, keyed] = [listening(), listening()];
    await mapTry(map, { ...options, header: [] }, bare.terminal);
    await mapTry(map, { ...options, header: ["x-tenant: acme"] }, keyed.terminal);
    server.close();
    expect(bare.text()).toContain("--header");
    expect(keyed.text()).not.toContain("--header");
  });
});

describe("a reader that goes away", () => {
  it.each([["preset", "default"], ["gate", "error-rate"], ["--help"]])("ends sluice %s in silence", async (...argv) => {
    const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy(); // As `head` does.
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    await once(child, "close");
    expect(stderr).toBe("");
  });
});
