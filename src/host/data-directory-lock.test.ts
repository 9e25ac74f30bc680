import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundleEntry } from "../../test/controller/bundle.ts";
import { findController, type HeldLock, lockDataDirectory } from "./data-directory-lock.ts";

let program: string;
let dataDir: string;
let held: HeldLock[] = [];
let children: ChildProcess[] = [];

beforeAll(async () => {
  program = await bundleEntry("lock-owner.ts");
});
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-lock-"));
});
afterEach(async () => {
  for (const lock of held) await lock.release();
  for (const child of children) child.kill("SIGKILL");
  [held, children] = [[], []];
  await rm(dataDir, { recursive: true, force: true });
});

async function take(directory = dataDir): Promise<"held" | number> {
  const result = await lockDataDirectory(directory);
  if (result.kind === "taken") return result.owner.pid;
  held.push(result.lock);
  return "held";
}

/** Starts a process that tries to take the lock. */
async function taker(mode = ""): Promise<{ readonly child: ChildProcess; readonly kind: string }> {
  const child = spawn(process.execPath, [program, dataDir, mode], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { child, kind: (JSON.parse(String(line)) as { kind: string }).kind };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

describe("the data directory's lock", () => {
  it("is held by one, and names its process to the next", async () => {
    expect(await take()).toBe("held");
    expect(await take()).toBe(process.pid);
  });

  it("tells the command line where the API is once it was announced", async () => {
    await take();
    expect(await findController(dataDir)).toBeNull();
    held[0]?.announce("http://127.0.0.1:4400");
    expect(await findController(dataDir)).toEqual({
      apiUrl: "http://127.0.0.1:4400",
      pid: process.pid,
    });
  });

  it("can be taken again after a release, ten times over, and leaves one file", async () => {
    for (let round = 0; round < 10; round++) {
      expect(await take()).toBe("held");
      await held.pop()?.release();
    }
    expect((await readdir(dataDir)).length).toBe(1);
    expect(await findController(dataDir)).toBeNull();
  });

  it("is taken over from a killed process", async () => {
    const { child } = await taker();
    expect(await take()).toBe(child.pid);
    await kill(child);
    expect(await take()).toBe("held");
  });

  it("stays with an owner too busy to answer: silence is not death", async () => {
    const { child } = await taker("blocked");
    expect(await take()).toBe(child.pid);
    expect(await findController(dataDir)).toBeNull();
  });

  it("goes to exactly one of 8 processes that race for a stale lock, 5 times over", async () => {
    for (let round = 0; round < 5; round++) {
      const racers = await Promise.all(Array.from({ length: 8 }, () => taker()));
      expect(racers.filter(({ kind }) => kind === "held").length).toBe(1);
      for (const { child } of racers) if (child.exitCode === null) await kill(child);
    }
  });

  it("goes to exactly one of 20 takers inside one process, whatever stale and torn locks lie there", async () => {
    await writeFile(join(dataDir, "lock.7"), "{ torn");
    const gone = { pid: 1, boot_id: "x", nonce: "n", socket: join(dataDir, "gone.sock") };
    await writeFile(join(dataDir, "lock.6"), JSON.stringify(gone));
    const results = await Promise.all(Array.from({ length: 20 }, () => take()));
    expect(results.filter((result) => result === "held").length).toBe(1);
    expect((await readdir(dataDir)).filter((name) => name.startsWith("lock."))).toEqual(["lock.8"]);
  });

  it("works in a directory whose path is longer than a socket's may be", async () => {
    const deep = join(dataDir, "d".repeat(60), "e".repeat(60));
    await mkdir(deep, { recursive: true });
    expect(await take(deep)).toBe("held");
    expect(await take(deep)).toBe(process.pid);
  });
});
