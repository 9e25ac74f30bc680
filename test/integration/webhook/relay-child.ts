import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { RelayConfig, RelayLine } from "./relay-config.ts";

/** A relay process from one start to its end. */
export interface RelayChild {
  readonly config: RelayConfig;
  /** What it printed so far. */
  readonly lines: readonly RelayLine[];
  /** Settles when it is gone, with the exit code; null when a signal ended it. */
  readonly gone: Promise<number | null>;
  /** Everything it said on stderr so far. */
  said(): string;
  /** Sends the signal and waits until it is gone. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a relay process. It ends by itself when this process is gone. */
export function startRelay(program: string, config: RelayConfig): RelayChild {
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(config)], { stdio: "pipe" });
  const lines: RelayLine[] = [];
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += String(chunk);
  });
  if (child.stdout === null) throw new Error("the relay process was started without a pipe on stdout");
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    if (line.endsWith("}")) lines.push(JSON.parse(line) as RelayLine); // A kill may cut the last line.
  });
  const gone = Promise.all([once(child, "exit"), once(reader, "close")]).then(() => child.exitCode);
  return {
    config,
    lines,
    gone,
    said: () => said,
    end(signal) {
      child.kill(signal);
      return gone;
    },
  };
}

/** Keeps one relay of a configuration running: one that stopped by itself is started again, as a supervisor would. */
export class RelayKeeper {
  readonly children: RelayChild[] = [];
  readonly #program: string;
  readonly #config: RelayConfig;
  #isKept = true;
  #isKilling = false;
  /** Times it ended by itself, without having been told to. */
  selfStops = 0;
  kills = 0;

  constructor(program: string, config: RelayConfig) {
    [this.#program, this.#config] = [program, config];
    this.#start();
  }

  get current(): RelayChild {
    return this.children.at(-1) as RelayChild;
  }

  /** Whether it holds the grant now, as far as it said. */
  get isEmitting(): boolean {
    const { lines } = this.current;
    return lines.some(({ kind }) => kind === "granted") && !lines.some(({ kind }) => kind === "ended");
  }

  /** Every line of all its lives. */
  get lines(): readonly RelayLine[] {
    return this.children.flatMap(({ lines }) => lines);
  }

  #start(): void {
    const child = startRelay(this.#program, this.#config);
    this.children.push(child);
    void child.gone.then(() => {
      if (!this.#isKept || this.#isKilling) return;
      this.selfStops++;
      this.#start();
    });
  }

  /** kill -9, and a new start. */
  async kill(): Promise<void> {
    this.#isKilling = true;
    if ((await this.current.end("SIGKILL")) === null) this.kills++;
    this.#isKilling = false;
    this.#start();
  }

  /** From now on what ends stays ended. */
  abandon(): RelayChild {
    this.#isKept = false;
    return this.current;
  }
}
