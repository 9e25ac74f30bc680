import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HANDBOOK, HANDBOOK_GOLD } from "../../src/cli/handbook.ts";
import { gatewayHeard } from "./gateway-heard.ts";
import { type RunningSluice, runSluice, startSluice, temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

const documentOf = (stable: string, candidate: string): string => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: bad-input-1 }
spec:
  service: bad-input
  stable: { url: ${stable} }
  candidate: { url: ${candidate} }
  route: { driver: gateway, listen: 127.0.0.1:0, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 10, hold: 1s }] } }
  gates: [{ use: demo }]
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const running: RunningSluice[] = [];
const inFolder = (name: string) => join(folder.path, name);

function start(argv: readonly string[], options = {}): RunningSluice {
  const started = startSluice(argv, options);
  running.push(started);
  return started;
}

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
  await folder.remove();
});

describe("bad documents and files", () => {
  it("says every problem of a broken document with line, column, caret and suggestion, exit 2", async () => {
    const text = documentOf("http://127.0.0.1:1/a", "http://127.0.0.1:2/a")
      .replace("hold: 1s", "hold: 1")
      .replace("use: demo", "use: dmo");
    await writeFile(inFolder("broken.yaml"), text);
    const { code, stdout, stderr } = await sluiceInProcess("validate", inFolder("broken.yaml"));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("broken.yaml:9:53  found 1, expected a duration with its unit: write 1s or 1m");
    expect(stderr).toContain('did you mean "demo"?');
    expect(stderr).toMatch(/\^\^\^/);
    expect(stderr).toContain("2 problems in");
  });

  it("names a missing document, an unknown command and an unknown option, exit 2", async () => {
    expect(await sluiceInProcess("validate", inFolder("absent.yaml"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("absent.yaml (ENOENT)"),
    });
    expect(await sluiceInProcess("aply", "x")).toMatchObject({ code: 2, stderr: expect.stringContaining("apply") });
    expect(await sluiceInProcess("status", "--jsn")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--json"),
    });
    expect(await sluiceInProcess("demo", "--scenario", "slwo")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean "slow"?'),
    });
  });

  it("names the gold section that is not in the corpus, exit 2", async () => {
    const item =
      "- { id: q1, topic: t, phrasings: [how long is a hold, how long does a hold last, what time is a hold], answerable: true, gold: [{ doc: rollouts/stages, section: rollouts/stages#the-hodl }] }\n";
    await writeFile(inFolder("gold.yaml"), item);
    const { code, stderr } = await sluiceInProcess("gold", "lint", inFolder("gold.yaml"), "--corpus", HANDBOOK);
    expect(code).toBe(2);
    expect(stderr).toContain("rollouts/stages#the-hodl");
  });

  it("finds nothing wrong with the handbook's own gold set", async () => {
    expect(await sluiceInProcess("gold", "lint", HANDBOOK_GOLD, "--corpus", HANDBOOK)).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  it("refuses an empty corpus, naming it, exit 1", async () => {
    await mkdir(inFolder("empty"), { recursive: true });
    const { code, stderr } = await sluiceInProcess("lab", "serve", "--corpus", inFolder("empty"), "--index", "x");
    expect(code).toBe(1);
    expect(stderr).toContain(inFolder("empty"));
  });

  it("says that a probe target does not answer, exit 1", async () => {
    const { code, stderr } = await sluiceInProcess(
      "probe",
      "--target",
      "http://127.0.0.1:9/answer",
      "--gold",
      HANDBOOK_GOLD,
      "--tier",
      "smoke",
      "--repeats",
      "1",
    );
    expect(code).toBe(1);
    expect(stderr).toContain("http://127.0.0.1:9/answer");
  });
});

describe("a controller in trouble", () => {
  it("answers a command without a controller with what to start, exit 1", async () => {
    const { code, stderr } = await sluiceInProcess("status", "--data", inFolder("nobody"));
    expect(code).toBe(1);
    expect(stderr).toContain("sluice serve --data");
  });

  it("lets a second serve on one data directory end with exit 13, naming the first", async () => {
    const first = start(["serve", "--json", "--data", inFolder("one"), "--port", "0"]);
    const { pid, url } = await first.ready;
    const { code, stderr } = await runSluice(["serve", "--data", inFolder("one"), "--port", "0"]);
    expect(code).toBe(13);
    expect(stderr).toContain(`process ${pid} at ${url}`);
    expect((await first.stop()).code).toBe(0);
  });

  it("names a taken port, exit 1", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await runSluice(["serve", "--data", inFolder("port"), "--port", String(port)]);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(String(port));
    expect(stderr).toContain("choose another port");
  });

  it("refuses a rollout without a gateway, then one whose target does not answer, and keeps nothing of either", async () => {
    const data = inFolder("two");
    await writeFile(inFolder("away.yaml"), documentOf("http://127.0.0.1:9/answer", "http://127.0.0.1:10/answer"));
    const controller = start(["serve", "--json", "--data", data, "--port", "0"]);
    const { url } = await controller.ready;
    const alone = await sluiceInProcess("apply", inFolder("away.yaml"), "--data", data);
    expect([alone.code, alone.stderr]).toEqual([
      1,
      expect.stringContaining("no gateway of service bad-input is connected"),
    ]);
    const gateway = start(["gateway", inFolder("away.yaml"), "--json", "--data", data]);
    await gateway.ready;
    await gatewayHeard(url, data);
    const away = await sluiceInProcess("apply", inFolder("away.yaml"), "--data", data);
    expect([away.code, away.stderr]).toEqual([
      1,
      expect.stringMatching(/stable is not ready at http:\/\/127\.0\.0\.1:9\/healthz\/ready: no answer/),
    ]);
    const { stdout } = await sluiceInProcess("status", "--json", "--data", data);
    expect(JSON.parse(stdout)).toEqual({ rollouts: [], cutovers: [] });
    await gateway.stop();
    await controller.stop();
  }, 180_000);

  it("says that the disk is full, exit 1, and starts again with everything it had", async () => {
    const data = inFolder("full");
    const before = start(["serve", "--json", "--data", data, "--port", "0"]);
    await before.ready;
    await before.stop();
    const full = startSluice(["serve", "--json", "--data", data, "--port", "0"], { fileBlocksMax: 8 });
    const { code, stderr } = await full.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/disk is full|may not grow/);
    const again = start(["serve", "--json", "--data", data, "--port", "0"]);
    expect((await again.ready)["url"]).toMatch(/^http:/);
    expect((await again.stop()).code).toBe(0);
  }, 180_000);
});
