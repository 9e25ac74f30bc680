import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSluice, type RunningSluice, startSluice, temporaryFolder } from "../../../cli/run-sluice.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../../fence/servers.ts";

/** What an address would have to escape. */
const PASSWORD = "hunt%er/2 :@";
const DOCUMENT = `apiVersion: sluice/v1
kind: Rollout
metadata: { name: one }
spec:
  service: rag
  stable: { url: "http://127.0.0.1:4001/answer", health: null }
  candidate: { url: "http://127.0.0.1:4002/answer", health: null }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 10, hold: 1m, cap: 2m }, { weight: 100, hold: 1m }] } }
  gates: [{ use: default }]
`;

describe.skipIf(!hasPostgres())("a store on a server that asks for a password", { timeout: 60_000 }, () => {
  let server: PostgresServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let running: RunningSluice | null = null;
  let url = "";
  beforeAll(async () => {
    [server, folder] = [await startPostgres(), await temporaryFolder()];
    const pool = server.connect(1);
    await pool.query(`create role app login password '${PASSWORD}'`);
    await pool.query("create database app owner app");
    const { rows } = await pool.query("show hba_file");
    await writeFile(rows[0].hba_file, "host all app 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n");
    await pool.query("select pg_reload_conf()");
    await pool.end();
    url = server.url.replace(/\w+@/, "app@").replace(/\w+$/, "app");
  });
  afterAll(async () => {
    await running?.stop("SIGKILL");
    await server.stop();
    await folder.remove();
  });

  const serve = (env: Readonly<Record<string, string>>) =>
    startSluice(["serve", "--data", join(folder.path, "data"), "--port", "0", "--json", "--store", url], { env });

  it.each([
    ["none", {}],
    ["a wrong one", { SLUICE_STORE_PASSWORD: "wrong" }],
  ] as const)("ends at once without it, given %s, and says where it is looked for", async (_, env) => {
    const beganMs = performance.now();
    const { code, stderr } = await serve(env).finished;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/SLUICE_STORE_PASSWORD or PGPASSWORD \(unauthorized\)/)]);
    expect(performance.now() - beganMs).toBeLessThan(30_000); // The server gives an unfinished login a minute.
  });

  it("is served with it, whatever letters it has, and doctor asks the controller there", async () => {
    const document = join(folder.path, "rollout.yaml");
    await writeFile(document, DOCUMENT);
    running = serve({ SLUICE_STORE_PASSWORD: PASSWORD });
    await running.ready;
    const { code, stdout, stderr } = await runSluice(["doctor", document, "--data", join(folder.path, "data")]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("the service has had no rollout yet")]);
    expect(stdout + stderr + running.said()).not.toContain(PASSWORD);
    expect((await running.stop("SIGTERM")).code).toBe(0);
  });
});
