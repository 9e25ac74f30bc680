import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, open, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Finished, MAIN, type RunningSluice, runSluice, startSluice, temporaryFolder } from "./run-sluice.ts";

/** No line of a stack, no "internal error": a sentence. */
const STACK = /^\s+at |internal error/m;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningSluice;
const inFolder = (name: string) => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  running = startSluice(["serve", "--data", inFolder("data"), "--port", "0", "--json"]);
  await running.ready;
  await writeFile(inFolder("file"), "");
  await symlink("circle", inFolder("circle"));
}, 60_000);
afterAll(async () => {
  running.child.kill("SIGCONT");
  await running.stop("SIGKILL");
  await folder.remove();
});

function told(found: Finished, code: number, ...parts: readonly (string | RegExp)[]): void {
  expect([found.code, found.stderr]).toEqual([code, expect.not.stringMatching(STACK)]);
  for (const part of parts) expect(found.stderr).toMatch(part);
}

describe("what a controller cannot start on: what, why, what to do, and no stack", () => {
  it.each([
    { what: "a file", path: () => inFolder("file"), said: [/file/, /name another/] },
    { what: "below a file", path: () => join(inFolder("file"), "data"), said: [/file/, /name another|check the path/] },
    { what: "a circle of links", path: () => join(inFolder("circle"), "data"), said: [/circle/, /name another/] },
    { what: "where no folder is made", path: () => "/proc/sluice/data", said: [/\/proc\/sluice/, /check the path/] },
    { what: "a path that is too long", path: () => inFolder("x".repeat(300)), said: [/xxx/, /name a shorter one/] },
  ])("a data directory: $what", async ({ path, said }) => {
    told(await runSluice(["serve", "--data", path(), "--port", "0"]), 1, ...said);
  });

  it("an address in use, an unknown host, a foreign address", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = String((server.address() as AddressInfo).port);
    told(await runSluice(["serve", "--data", inFolder("p1"), "--port", port]), 1, port, /choose another port/);
    server.close();
    const named = ["serve", "--data", inFolder("p2"), "--port", "0", "--host"];
    told(await runSluice([...named, "no.such.host.invalid"]), 2, /no\.such\.host\.invalid/, /use an address/);
    told(await runSluice([...named, "192.0.2.1"]), 2, /192\.0\.2\.1/, /no such address/);
  }, 60_000);

  it("a database that is damaged, and a token that is empty", async () => {
    const data = inFolder("damaged");
    const first = startSluice(["serve", "--data", data, "--port", "0", "--json"]);
    await first.ready;
    await first.stop();
    await cp(data, inFolder("empty-token"), { recursive: true, filter: (path) => !path.endsWith(".sock") });
    await writeFile(join(inFolder("empty-token"), "token"), "");
    const advice = [/token is empty/, /remove it and start again/];
    told(await runSluice(["serve", "--data", inFolder("empty-token"), "--port", "0"]), 2, ...advice);
    const control = join(data, "database", "global", "pg_control");
    expect(existsSync(control)).toBe(true);
    await writeFile(control, "damaged");
    told(await runSluice(["serve", "--data", data, "--port", "0"]), 1, /cannot be opened/, /sluice restore/);
    await rm(join(data, "database", "PG_VERSION"));
    told(await runSluice(["serve", "--data", data, "--port", "0"]), 1, /empty or damaged/, /--new/);
    expect((await readdir(data)).some((name) => name.startsWith("database"))).toBe(true);
  }, 120_000);
});

describe("a controller whose data directory was named from where it was started", () => {
  it("is spoken to from anywhere else, and without its token the file is named", async () => {
    await mkdir(inFolder("started-here"));
    const started = startSluice(["serve", "--data", "near", "--port", "0", "--json"], {
      cwd: inFolder("started-here"),
    });
    const { url } = await started.ready;
    const data = join(inFolder("started-here"), "near");
    expect(await runSluice(["status", "--data", data, "--json"], { cwd: folder.path })).toMatchObject({ code: 0 });
    const elsewhere = ["status", "--data", inFolder("data-of-nobody"), "--controller", String(url)];
    told(await runSluice(elsewhere), 1, /no token/, /data-of-nobody\/token cannot be read \(ENOENT\)/, /--data/);
    await started.stop();
  });
});

describe("what a command cannot use", () => {
  it("a full disk on stdout: exit 1 with the reason and advice", async () => {
    if (!existsSync("/dev/full")) return;
    const full = await open("/dev/full", "w");
    const child = spawn(process.execPath, [MAIN, "preset", "default"], { stdio: ["ignore", full.fd, "pipe"] });
    let stderr = "";
    child.stderr?.on("data", (chunk) => (stderr += String(chunk)));
    const [code] = (await once(child, "close")) as [number];
    await full.close();
    told({ code, stdout: "", stderr }, 1, /cannot write the output \(ENOSPC\)/, /free some space/);
  });

  it("a pipe that is closed: exit 141 in silence", async () => {
    const child = spawn(process.execPath, [MAIN, "preset", "default"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const [code] = (await once(child, "close")) as [number];
    expect([code, stderr]).toEqual([141, ""]);
  });

  it("a folder or nothing where a document is expected, and a backup that cannot be written", async () => {
    await mkdir(inFolder("a-folder"));
    told(await runSluice(["validate", inFolder("a-folder")]), 2, /a-folder/, /EISDIR/);
    told(await runSluice(["validate", inFolder("nothing.yaml")]), 2, /nothing\.yaml/, /ENOENT/);
    told(await runSluice(["restore", inFolder("a-folder"), "--data", inFolder("r")]), 2, /a-folder/, /EISDIR/);
    const into = join(inFolder("file"), "backup.gz");
    told(await runSluice(["backup", into, "--data", inFolder("data")]), 1, /backup\.gz/, /name another/);
  }, 60_000);

  it("a controller that is stopped: exit 1, its process, and how to look at it", async () => {
    running.child.kill("SIGSTOP");
    const found = await runSluice(["status", "--data", inFolder("data")]);
    running.child.kill("SIGCONT");
    told(found, 1, new RegExp(`process ${running.child.pid}`), /stopped/);
  }, 60_000);
});
