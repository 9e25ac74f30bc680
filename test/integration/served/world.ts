import { createServer, get, type Server } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { gatewayHeard } from "../../cli/gateway-heard.ts";
import { type Finished, runSluice, type RunningSluice, startSluice, temporaryFolder } from "../../cli/run-sluice.ts";
import { freePort } from "../../free-port.ts";

export const SERVICE = "desk";
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function origin(arm: string): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((_, response) => response.end(arm));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** How long an answer may be on its way and a process may wait for its turn. */
const LATE_MS = 300;

export interface Status {
  readonly phase: string;
  readonly paused: boolean;
  readonly candidate_bp: number;
  readonly held_ms: number;
}

/** Two releases, a controller and a gateway in processes of their own, with everybody on the candidate when asked. */
export class Served {
  readonly controllerPort: number;
  readonly gatewayPort: number;
  controller!: RunningSluice;
  gateway!: RunningSluice;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #origins: readonly { readonly server: Server; readonly url: string }[];
  readonly #leaseMs: number;
  readonly #run: typeof runSluice;
  readonly #driver: "gateway" | "haproxy";
  readonly #running: RunningSluice[] = [];
  #user = 0;

  private constructor(
    folder: Awaited<ReturnType<typeof temporaryFolder>>,
    origins: readonly { readonly server: Server; readonly url: string }[],
    ports: readonly [controller: number, gateway: number],
    leaseMs: number,
    run: typeof runSluice,
    driver: "gateway" | "haproxy",
  ) {
    this.#folder = folder;
    this.#origins = origins;
    [this.controllerPort, this.gatewayPort] = ports;
    this.#leaseMs = leaseMs;
    this.#run = run;
    this.#driver = driver;
  }

  /**
   * @param run carries out commands; `inThisProcess` where there are many
   * @param driver what carries requests
   */
  static async open(leaseMs: number, run = runSluice, driver: "gateway" | "haproxy" = "gateway"): Promise<Served> {
    const [folder, stable, candidate] = [await temporaryFolder(), await origin("stable"), await origin("candidate")];
    const served = new Served(folder, [stable, candidate], [await freePort(), await freePort()], leaseMs, run, driver);
    await served.startController();
    await served.document("first");
    await served.startGateway();
    return served;
  }

  path(name: string): string {
    return join(this.#folder.path, name);
  }

  get dataDir(): string {
    return this.path("data");
  }

  get controllerUrl(): string {
    return `http://127.0.0.1:${this.controllerPort}`;
  }

  start(...argv: readonly string[]): RunningSluice {
    const running = startSluice([...argv, "--json"]);
    this.#running.push(running);
    return running;
  }

  async startController(): Promise<void> {
    this.controller = this.start("serve", "--data", this.dataDir, "--port", String(this.controllerPort));
    await this.controller.ready;
  }

  /** A second controller, on a data directory of its own. */
  async startAnother(dataDir: string): Promise<{ readonly running: RunningSluice; readonly url: string }> {
    const running = this.start("serve", "--data", dataDir, "--port", "0");
    return { running, url: String((await running.ready)["url"]) };
  }

  async startGateway(...more: readonly string[]): Promise<void> {
    const command = this.#driver === "gateway" ? ["gateway"] : ["plane", "haproxy"];
    this.gateway = this.start(...command, this.path("first.yaml"), "--data", this.dataDir, ...more);
    await this.gateway.ready;
  }

  async document(name: string, weight = 100, port = this.gatewayPort): Promise<string> {
    return this.documentOf(name, `{ canary: { steps: [{ weight: ${weight}, hold: 1h }] } }`, port);
  }

  /** A document with this strategy; `more` is further YAML of its spec. */
  async documentOf(name: string, strategy: string, port = this.gatewayPort, more = ""): Promise<string> {
    const [stable, candidate] = this.#origins;
    await writeFile(
      this.path(`${name}.yaml`),
      `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: ${SERVICE}
  stable: { url: "${stable?.url}", release: r-stable, health: null }
  candidate: { url: "${candidate?.url}", release: r-candidate, health: null }
  route: { driver: ${this.#driver}, listen: "127.0.0.1:${port}", lease: ${this.#leaseMs}ms, trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  onFail: { do: rollback, to: stable, within: 60s }
  strategy: ${strategy}
  gates: [{ use: demo }]
${more}`,
    );
    return this.path(`${name}.yaml`);
  }

  sluice(...argv: readonly string[]): Promise<Finished> {
    return this.run(...argv, "--data", this.dataDir);
  }

  run(...argv: readonly string[]): Promise<Finished> {
    return this.#run(argv);
  }

  /** Runs a command and demands its exit code; what it said comes back. */
  async must(code: number, ...argv: readonly string[]): Promise<string> {
    const { code: found, stdout, stderr } = await this.sluice(...argv);
    expect([argv.join(" "), found, found === code ? "" : stderr]).toEqual([argv.join(" "), code, ""]);
    return stdout + stderr;
  }

  /** Begins a rollout that gives everybody to the candidate, and waits until they are there. */
  async everybodyOnCandidate(name: string): Promise<void> {
    await gatewayHeard(this.controllerUrl, this.dataDir);
    await this.must(0, "apply", await this.document(name));
    await this.until("everybody on the candidate", async () => (await this.armNow()) === "candidate");
  }

  /** What the controller's API answers; asked without a command of its own, because waiting asks often. */
  async api<T>(path: string, url = this.controllerUrl): Promise<T> {
    const token = (await readFile(join(this.dataDir, "token"), "utf8")).trim();
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    expect([path, answer.status]).toEqual([path, 200]);
    return (await answer.json()) as T;
  }

  status(name: string): Promise<Status> {
    return this.api<Status>(`/v1/rollouts/${name}`);
  }

  /** The arm that the next user meets; null when the gateway did not answer. */
  armNow(): Promise<string | null> {
    const headers = { "x-user-id": `user-${this.#user++}` };
    return new Promise((resolve) => {
      const asked = get(`http://127.0.0.1:${this.gatewayPort}/`, { headers, agent: false }, (response) => {
        response.resume();
        response.on("close", () => resolve(String(response.headers["x-sluice-arm"])));
      });
      asked.on("error", () => resolve(null));
    });
  }

  /** The arms met within a time, each once. */
  async armsWithin(ms: number): Promise<readonly string[]> {
    const endMs = performance.now() + ms;
    const met = new Set<string>();
    while (performance.now() < endMs) {
      met.add(String(await this.armNow()));
      await pause(10);
    }
    return [...met];
  }

  /** The arms met while something is done, each once. */
  async armsUntil(work: () => Promise<void>): Promise<readonly string[]> {
    const met = new Set<string>();
    let isDone = false;
    const done = work().finally(() => {
      isDone = true;
    });
    while (!isDone) {
      met.add(String(await this.armNow()));
      await pause(10);
    }
    await done;
    return [...met];
  }

  /** Nobody meets the candidate later than a lease and a moment from now; `boundMs` for another bound. */
  async stableAfterLease(boundMs = this.#leaseMs): Promise<void> {
    await pause(boundMs + LATE_MS);
    expect(await this.armsWithin(1_500)).toEqual(["stable"]);
  }

  async until(what: string, isTrue: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
    const endMs = performance.now() + withinMs;
    while (!(await isTrue())) {
      if (performance.now() > endMs) throw new Error(`${what} did not come within ${withinMs} ms`);
      await pause(50);
    }
  }

  async close(): Promise<void> {
    for (const { child, finished } of this.#running.reverse()) {
      child.kill("SIGKILL");
      await finished;
    }
    if (this.#driver === "haproxy") await this.#endProxy();
    for (const { server } of this.#origins) server.close();
    await this.#folder.remove();
  }

  /** HAProxy outlives its agent. */
  async #endProxy(): Promise<void> {
    const pidFile = join(this.dataDir, `haproxy-${SERVICE}-${this.gatewayPort}`, "haproxy.pid");
    const pid = Number((await readFile(pidFile, "utf8").catch(() => "")).trim());
    if (!(pid > 0)) return;
    process.kill(pid, "SIGTERM");
    await this.until("the end of HAProxy", async () => {
      try {
        return process.kill(pid, 0) && false;
      } catch {
        return true;
      }
    });
  }
}
