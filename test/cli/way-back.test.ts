import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command } from "../../src/cli/commands/command.ts";
import type { ControllerClient } from "../../src/cli/controller-client.ts";
import { timedTalk } from "../../src/cli/format/timed-line.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import type { Status } from "../../src/contract/status.ts";
import { temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const ORDERED = "ordered 0 % on the candidate (10 % before); not confirmed yet: sluice status tells";
type Look = Pick<Status, "phase" | "ended_at" | "next">;
const going: Look = { phase: "rolling-back", ended_at: null, next: "sends all traffic back to stable" };
const ended: Look = { ...going, phase: "aborted", ended_at: 1 as never };

/** Gives `abort` to a controller that shows these states one after another, the last of them for ever. */
async function aborted(looks: readonly (Look | "gone")[], json = false) {
  const said: string[] = [];
  const hear = (line: string) => void said.push(line);
  const terminal: Terminal = { data: hear, document: hear, say: hear, isInteractive: false, paint: (_, text) => text };
  let seen = 0;
  const status = () => {
    const look = looks[Math.min(seen++, looks.length - 1)];
    return look === "gone" ? Promise.reject(new Error("gone")) : Promise.resolve(look);
  };
  const post = () => Promise.resolve({ phase: "rolling-back", outcome: "done", text: ORDERED });
  const client = { status, post } as unknown as ControllerClient;
  const startMs = performance.now();
  const code = await command("abort", "m-5", { json, full: false, despite: false, reason: "" }, client, terminal);
  return { code, said, ms: performance.now() - startMs };
}

describe("abort and rollback", () => {
  it("wait for the end and tell it, where it comes within three seconds", async () => {
    expect(await aborted([going, going, ended])).toMatchObject({
      code: 0,
      said: ["m-5: aborted: confirmed, nobody is sent to the candidate"],
    });
    const failed: Look = { ...ended, phase: "rollback-failed", next: "look at the gateways" };
    expect((await aborted([failed])).said).toEqual(["m-5: rollback-failed: look at the gateways"]);
  });

  it("say what was ordered, where the end does not come or nobody can tell, with the same exit code", async () => {
    const late = await aborted([going]);
    expect(late).toMatchObject({ code: 0, said: [`m-5: ${ORDERED}`, "watch it with: sluice watch m-5"] });
    expect(late.ms).toBeGreaterThan(2_500);
    expect(late.ms).toBeLessThan(6_000);
    expect(await aborted(["gone"])).toMatchObject({ code: 0, said: [`m-5: ${ORDERED}`, expect.any(String)] });
  });

  it("have what was ordered and the end in their JSON", async () => {
    const { said } = await aborted([going, ended], true);
    expect(said.map((line) => JSON.parse(line))).toEqual([
      {
        id: "m-5",
        phase: "rolling-back",
        outcome: "done",
        text: ORDERED,
        end: { phase: "aborted", text: "aborted: confirmed, nobody is sent to the candidate" },
      },
    ]);
  });
});

describe("a command that finds no controller", () => {
  const order = /connected gateways send everybody to stable within the lease.*sluice gateway stable --service NAME/;

  it.each(["abort", "rollback", "pause"])("%s names what keeps users safe meanwhile", async (verb) => {
    const none = await sluiceInProcess(verb, "m-5", "--data", folder.path);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringMatching(/no controller owns/) });
    expect(none.stderr).toMatch(order);
    const dead = await sluiceInProcess(verb, "m-5", "--data", folder.path, "--controller", "http://127.0.0.1:1");
    expect(dead).toMatchObject({ code: 1, stderr: expect.stringMatching(order) });
  });

  it.each(["promote", "resume"])("%s says only that there is none", async (verb) => {
    const { code, stderr } = await sluiceInProcess(verb, "m-5", "--data", folder.path);
    expect([code, order.test(stderr)]).toEqual([1, false]);
  });
});

describe("the lines of a server", () => {
  it("begin with their time in UTC and stay one line each", () => {
    const said: string[] = [];
    timedTalk({ say: (line) => void said.push(line) })("state file not read:\nEACCES");
    expect(said[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z state file not read:\S*\s?EACCES$/);
    expect(said).toHaveLength(1);
  });
});
