import { readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inThisProcess } from "./sluice-in-process.ts";
import { Served } from "../integration/served/world.ts";

/** Far beyond what a controller counts to. */
const JUMP = 2 ** 32;

let served: Served;
let file: string;
beforeAll(async () => {
  served = await Served.open(1_000, inThisProcess);
  file = served.path("backup.gz");
  await served.everybodyOnCandidate("second");
}, 180_000);
afterAll(() => served.close());

const restore = (code: number, ...more: readonly string[]) => served.must(code, "restore", file, ...more);
const epoch = async (): Promise<number> => {
  const { gateways } = await served.api<{ gateways: { adopted: { epoch: number } }[] }>("/v1/gateways");
  return gateways[0]?.adopted.epoch ?? 0;
};

describe("a backup", () => {
  it("is taken of a running controller, for its owner alone, and overwrites nothing", async () => {
    const told = JSON.parse(await served.must(0, "backup", file, "--json")) as Record<string, unknown>;
    expect(told).toMatchObject({ file, rollouts: 1, store: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await served.must(13, "backup", file)).toContain(`${file} is there already`);
    expect(await served.armNow()).toBe("candidate");
  }, 180_000);

  it("replaces no database that a controller has open, with or without the flag", async () => {
    for (const more of [[], ["--replace"]]) expect(await restore(13, ...more)).toContain("stop it first");
  }, 180_000);

  it("says what was lost, moves nobody, pauses what it believes to run, and is heard above what was published since", async () => {
    await served.must(0, "abort", "second", "--reason", "after the backup");
    await served.until("the end", async () => (await served.status("second")).phase === "aborted");
    const before = await epoch();
    await served.controller.stop("SIGKILL");
    expect(await restore(13)).toContain("is there; nothing was changed");
    const said = await restore(0, "--replace");
    expect(said).toMatch(
      /lost: \d+ journal entries of rollout second: it was aborted, in the backup it is progressing/,
    );
    expect(said).toContain("paused: second");
    await served.startController();
    expect(await served.armsWithin(2_000)).toEqual(["stable"]);
    expect(await served.status("second")).toMatchObject({ phase: "progressing", paused: true });
    expect(await epoch()).toBe(before);
    await served.must(0, "abort", "second", "--reason", "as it was");
    await served.until("the end", async () => (await served.status("second")).phase === "aborted");
    // The lease of one second may end the wait before the gateway has heard of the document.
    await served.until("a number above all before", async () => (await epoch()) > JUMP);
    await served.everybodyOnCandidate("third");
  }, 180_000);

  it("of a stopped controller moves to another directory with identity and credentials", async () => {
    await served.controller.stop();
    file = served.path("stopped.gz");
    await served.must(0, "backup", file);
    const elsewhere = served.path("elsewhere");
    const { code, stderr } = await inThisProcess(["restore", file, "--data", elsewhere]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("rollouts begun since are unknown")]);
    for (const name of ["store-id", "token", "gateway-token", "signing-key"]) {
      expect(await readFile(join(elsewhere, name), "utf8")).toBe(await readFile(join(served.dataDir, name), "utf8"));
    }
    const first = await inThisProcess(["restore", file, "--data", elsewhere]);
    expect([first.code, first.stderr]).toEqual([13, expect.stringContaining("--replace")]);
  }, 180_000);

  it("that is none, cut off, empty or missing is named with advice, and nothing is changed", async () => {
    const [cut, other, empty] = [served.path("cut.gz"), served.path("other.gz"), served.path("empty.gz")];
    await writeFile(cut, await readFile(file));
    await truncate(cut, 400);
    await writeFile(other, "no backup");
    await writeFile(empty, "");
    for (const path of [cut, other, empty, served.path("none.gz")]) {
      const { code, stderr } = await served.sluice("restore", path, "--replace");
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/^.*\.gz .*; name a whole file that `sluice backup` wrote\n$/),
      ]);
      expect(stderr).toContain(path);
    }
    const nowhere = await inThisProcess(["backup", served.path("x.gz"), "--data", served.path("nowhere")]);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("there is no database in")]);
  }, 180_000);
});
