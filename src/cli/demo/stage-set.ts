import { type Child, type ChildOptions, startChild } from "./child-process.ts";
import type { TrafficSummary } from "../../lab/traffic/tally.ts";
import { HANDBOOK, HANDBOOK_GOLD } from "../handbook.ts";

export interface StageSetOptions {
  readonly dataDir: string;
  readonly seed: number;
  readonly basePort: number | null;
}

/** The processes of a demo. They are separate because the database and the retrieval would block each other's loop. */
export class StageSet {
  readonly #children: Child[] = [];
  readonly #options: StageSetOptions;
  #waiting: ((summary: TrafficSummary) => void)[] = [];
  #nextPort: number | null;

  constructor(options: StageSetOptions) {
    this.#options = options;
    this.#nextPort = options.basePort;
  }

  #port(): string {
    if (this.#nextPort === null) return "0";
    return String(this.#nextPort++);
  }

  async #start(
    name: string,
    argv: readonly string[],
    onLine?: (line: Record<string, unknown>) => void,
  ): Promise<Record<string, unknown>> {
    return this.#begin({ name, argv, ...(onLine === undefined ? {} : { onLine }) }).ready;
  }

  #begin(options: ChildOptions): Child {
    const child = startChild(options);
    this.#children.push(child);
    return child;
  }

  /** A database that the other processes share; resolves with its address. */
  async database(aliasLagMs: number | null): Promise<string> {
    const lag = aliasLagMs === null ? [] : ["--alias-lag", String(aliasLagMs)];
    return String((await this.#start("database", ["lab", "database", "--port", this.#port(), ...lag]))["url"]);
  }

  /** A release whose index and cache are in that database; resolves with its answer endpoint and its release id. */
  async release(
    label: string,
    index: string,
    store: string,
  ): Promise<{ readonly url: string; readonly releaseId: string }> {
    const argv = ["lab", "serve", "--corpus", HANDBOOK, "--index", index, "--release", label, "--store", store];
    const ready = await this.#start(`lab ${label}`, [
      ...argv,
      "--seed",
      String(this.#options.seed),
      "--port",
      this.#port(),
    ]);
    return { url: String(ready["url"]), releaseId: String(ready["release_id"]) };
  }

  /** A process that works with effects, by `lab jobs`. */
  jobs(argv: readonly string[], token: string, onLine?: (line: Record<string, unknown>) => void): Child {
    const env = { SLUICE_TOKEN: token };
    const name = `jobs ${argv.join(" ")}`;
    return this.#begin({ name, argv: ["lab", "jobs", ...argv], env, ...(onLine === undefined ? {} : { onLine }) });
  }

  /** A laboratory service; resolves with its answer endpoint. */
  async lab(release: string, faults: readonly string[]): Promise<string> {
    const { seed, dataDir } = this.#options;
    const planted = faults.flatMap((fault) => ["--fault", fault]);
    const index = `docs-${release}`;
    const argv = ["lab", "serve", "--corpus", HANDBOOK, "--index", index, "--release", release, "--seed", String(seed)];
    const ready = await this.#start(`lab ${release}`, [...argv, "--port", this.#port(), "--data", dataDir, ...planted]);
    return String(ready["url"]);
  }

  async controller(): Promise<string> {
    const argv = ["serve", "--json", "--data", this.#options.dataDir, "--port", this.#port()];
    return String((await this.#start("controller", argv))["url"]);
  }

  /** A gateway that reads the route of a rollout document; resolves with its address. */
  async gateway(file: string): Promise<string> {
    const argv = ["gateway", file, "--json", "--data", this.#options.dataDir];
    return String((await this.#start("gateway", argv))["url"]);
  }

  /** Open-loop traffic onto an answer endpoint, until the set is struck. */
  async traffic(target: string, requestsPerSecond: number): Promise<void> {
    const { seed } = this.#options;
    const argv = [
      "lab",
      "traffic",
      "--target",
      target,
      "--gold",
      HANDBOOK_GOLD,
      "--rps",
      String(requestsPerSecond),
      "--seed",
      String(seed),
    ];
    const take = (line: Record<string, unknown>) => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve(line as unknown as TrafficSummary);
    };
    await this.#start("traffic", argv, take);
  }

  nextSeen(): Promise<TrafficSummary> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends every process, the last started first: traffic before the gateway before what it sends to. */
  async strike(): Promise<void> {
    for (const child of [...this.#children].reverse()) await child.stop();
  }
}
