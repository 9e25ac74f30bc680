import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { DrillJournal, DrillStatus } from "../../../src/contract/drills.ts";
import { Grant } from "../../../src/fence/grant.ts";
import { type Finished, runSluice, type RunningSluice, startSluice, temporaryFolder } from "../../cli/run-sluice.ts";
import { freePort } from "../../free-port.ts";

const SERVICE = "desk";
const RELEASE = "r1";
const REGIONS = ["us-east", "eu-west"] as const;
type Region = (typeof REGIONS)[number];

const SERVICE_FILE = fileURLToPath(new URL("region-service.mjs", import.meta.url));
const QUESTIONS = ["How long is a refund possible?", "How do I reset my password?", "Where is my invoice?"];

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Times of the laboratory's drills: as short as they can be while each still says something. */
const TIMES = "{ cutover: 30s, stepWithin: 8s, observe: 3s, hold: 2s }";

interface Place {
  readonly service: ChildProcess;
  readonly url: string;
  readonly gatewayPort: number;
}

/**
 * Two regions in processes of their own, each with its service and its gateway, and one controller. Users arrive in
 * both, and each region has a worker that acts when it may.
 */
export class RegionLab {
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #running: RunningSluice[] = [];
  readonly #places = new Map<Region, Place>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #controllerPort: number;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #grants: Grant[] = [];
  controller!: RunningSluice;
  asked = 0;
  readonly failures: string[] = [];
  /** Answers by the region that served them, as the client is told. */
  readonly served = new Map<string, number>();
  /** Effects by region, and how often two regions had one under way at once. */
  readonly effects: { readonly region: Region; readonly atMs: number }[] = [];
  overlaps = 0;
  readonly #under = new Map<Region, number>();

  private constructor(folder: Awaited<ReturnType<typeof temporaryFolder>>, controllerPort: number) {
    this.#folder = folder;
    this.#controllerPort = controllerPort;
  }

  static async open(): Promise<RegionLab> {
    const lab = new RegionLab(await temporaryFolder(), await freePort());
    await lab.startController();
    for (const region of REGIONS) await lab.#startRegion(region);
    await lab.#firstDocument();
    for (const region of REGIONS) lab.#startWorker(region);
    return lab;
  }

  get dataDir(): string {
    return join(this.#folder.path, "data");
  }

  get #controllerUrl(): string {
    return `http://127.0.0.1:${this.#controllerPort}`;
  }

  async startController(): Promise<void> {
    this.controller = this.#start("serve", "--data", this.dataDir, "--port", String(this.#controllerPort));
    await this.controller.ready;
  }

  async killController(): Promise<void> {
    await this.controller.stop("SIGKILL");
    await this.startController();
  }

  /** What a region states of itself from now on, whatever is so. */
  async set(region: Region, what: string): Promise<void> {
    await fetch(`${this.#place(region).url}/set?${what}`);
  }

  /** 200 users a second, half of them in each region. */
  startUsers(perSecond = 200): void {
    this.#timers.push(setInterval(() => this.#ask(REGIONS[this.asked % 2] as Region), 1_000 / perSecond));
  }

  /** Writes a drill that leaves us-east; `more` is further YAML of its spec. */
  async drill(name: string, checks: string, more = ""): Promise<string> {
    const places = REGIONS.map((region) => {
      const { url } = this.#place(region);
      return `    ${region}: { url: "${url}/answer", health: "${url}/healthz/ready", rebuild: "${url}/rebuild" }`;
    });
    const text = `apiVersion: sluice/v1
kind: Drill
metadata: { name: ${name} }
spec:
  service: ${SERVICE}
  places:
${places.join("\n")}
  times: ${TIMES}
  limits: { p95Ratio: 4, errorPercent: 1 }
  drill:
    regions: [us-east, eu-west]
    evacuate: us-east
    promote_survivor: eu-west
    routing: { mode: latency, stick_minutes: 15, hysteresis_s: 2 }
    checks: ${checks}
    return_to_home: { rebuild_follower: true, purge_cache: false, gradual_weights: [10, 30, 60, 100] }
${more}`;
    const file = join(this.#folder.path, `${name}.yaml`);
    await writeFile(file, text);
    return file;
  }

  sluice(...argv: readonly string[]): Promise<Finished> {
    return runSluice([...argv, "--data", this.dataDir]);
  }

  async must(code: number, ...argv: readonly string[]): Promise<string> {
    const { code: found, stdout, stderr } = await this.sluice(...argv);
    expect([argv.join(" "), found, found === code ? "" : stdout + stderr]).toEqual([argv.join(" "), code, ""]);
    return stdout;
  }

  async api<T>(at: string): Promise<T> {
    const token = (await readFile(join(this.dataDir, "token"), "utf8")).trim();
    const answer = await fetch(this.#controllerUrl + at, { headers: { authorization: `Bearer ${token}` } });
    expect([at, answer.status]).toEqual([at, 200]);
    return (await answer.json()) as T;
  }

  status(name: string): Promise<DrillStatus> {
    return this.api<DrillStatus>(`/v1/drills/${name}`);
  }

  journal(name: string): Promise<DrillJournal> {
    return this.api<DrillJournal>(`/v1/drills/${name}/journal`);
  }

  async until(what: string, isTrue: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
    const endMs = performance.now() + withinMs;
    while (!(await isTrue().catch(() => false))) {
      if (performance.now() > endMs) throw new Error(`${what} did not come within ${withinMs} ms`);
      await pause(50);
    }
  }

  /** Regions that served users who arrived in one, in the time that something takes. */
  async regionNow(region: Region): Promise<string> {
    const { gatewayPort } = this.#place(region);
    const response = await fetch(`http://127.0.0.1:${gatewayPort}/answer`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-user-id": "watcher" },
      body: JSON.stringify({ question: QUESTIONS[0], k: 5, seed: null, probe: false }),
    });
    await response.arrayBuffer();
    return response.headers.get("x-region-stick") ?? "nowhere";
  }

  /** Regions that acted in the last moment. */
  actedSince(atMs: number): readonly Region[] {
    return [...new Set(this.effects.filter((effect) => effect.atMs > atMs).map(({ region }) => region))];
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#grants.map((grant) => grant.stop()));
    this.#agent.destroy();
    for (const { service } of this.#places.values()) service.kill("SIGKILL");
    for (const { child, finished } of this.#running.reverse()) {
      child.kill("SIGKILL");
      await finished;
    }
    await this.#folder.remove();
  }

  #place(region: Region): Place {
    const place = this.#places.get(region);
    if (place === undefined) throw new Error(`no region ${region}`);
    return place;
  }

  #start(...argv: readonly string[]): RunningSluice {
    const running = startSluice([...argv, "--json"]);
    this.#running.push(running);
    return running;
  }

  async #startRegion(region: Region): Promise<void> {
    const service = spawn(process.execPath, [SERVICE_FILE, region], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(service.stdout, "data")) as [Buffer];
    const { port } = JSON.parse(String(line)) as { port: number };
    this.#places.set(region, { service, url: `http://127.0.0.1:${port}`, gatewayPort: await freePort() });
  }

  /** A service has a document by its first rollout: here one that ends at once where it was. */
  async #firstDocument(): Promise<void> {
    for (const region of REGIONS) await writeFile(join(this.#folder.path, `${region}.yaml`), this.#rollout(region));
    for (const region of REGIONS) {
      const file = join(this.#folder.path, `${region}.yaml`);
      await this.#start("gateway", file, "--data", this.dataDir, "--region", region).ready;
    }
    await this.until("both gateways", async () => {
      const { gateways } = await this.api<{ gateways: readonly { live?: boolean }[] }>("/v1/gateways");
      return gateways.length === 2;
    });
    await this.must(0, "apply", join(this.#folder.path, "us-east.yaml"));
    await this.until("the first document", async () => {
      const { services } = await this.api<{ services: readonly unknown[] }>("/v1/services");
      return services.length === 1;
    });
    await this.must(0, "abort", "first");
    await this.until(
      "its end",
      async () => (await this.api<{ phase: string }>("/v1/rollouts/first")).phase !== "running",
    );
  }

  #rollout(region: Region): string {
    const [home, other] = REGIONS.map((name) => this.#place(name).url);
    return `apiVersion: sluice/v1
kind: Rollout
metadata: { name: first }
spec:
  service: ${SERVICE}
  stable: { url: "${home}/answer", release: ${RELEASE}, health: null }
  candidate: { url: "${other}/answer", release: r2, health: null }
  route: { driver: gateway, listen: "127.0.0.1:${this.#place(region).gatewayPort}", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: { canary: { steps: [{ weight: 1, hold: 1h }] } }
  gates: [{ use: demo }]
`;
  }

  #startWorker(region: Region): void {
    const token = () => this.#token;
    const { SERVICE: service, RELEASE: release } = { SERVICE, RELEASE };
    const grant = new Grant({ controller: this.#controllerUrl, token, service, release, region, role: "producer" });
    this.#grants.push(grant);
    void readFile(join(this.dataDir, "token"), "utf8").then((text) => {
      this.#token = text.trim();
    });
    this.#timers.push(setInterval(() => void grant.act(() => this.#act(region)), 10));
  }

  #token = "";

  async #act(region: Region): Promise<void> {
    this.#under.set(region, (this.#under.get(region) ?? 0) + 1);
    const others = REGIONS.filter((other) => other !== region && (this.#under.get(other) ?? 0) > 0);
    if (others.length > 0) this.overlaps++;
    await pause(2);
    this.#under.set(region, (this.#under.get(region) ?? 0) - 1);
    this.effects.push({ region, atMs: performance.now() });
  }

  #ask(region: Region): void {
    const number = this.asked++;
    const body = JSON.stringify({ question: QUESTIONS[number % 3], k: 5, seed: null, probe: false });
    const headers = {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "x-user-id": `user-${number % 997}`,
    };
    const { gatewayPort: port } = this.#place(region);
    const fail = (why: string) => this.failures.push(`${number} in ${region}: ${why}`);
    const asked = request(
      { host: "127.0.0.1", port, path: "/answer", method: "POST", headers, agent: this.#agent },
      (response) => {
        const by = String(response.headers["x-region-stick"] ?? "nowhere");
        response.resume();
        response.on("end", () => {
          this.served.set(by, (this.served.get(by) ?? 0) + 1);
          if (response.statusCode !== 200) fail(`status ${response.statusCode}`);
        });
        response.on("aborted", () => fail("cut"));
      },
    );
    asked.on("error", (error) => fail(error.message));
    asked.end(body);
  }
}
