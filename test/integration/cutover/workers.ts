import { Grant } from "../../../src/fence/grant.ts";

/** One effect as the sink saw it. */
export interface Effect {
  readonly release: string;
  readonly atMs: number;
  readonly token: number;
}

/** What two workers of each release write to: it refuses a lower token than it has seen, as a fenced store does. */
export class Sink {
  readonly effects: Effect[] = [];
  refused = 0;
  /** Releases with an effect under way, and how often there were two at once. */
  readonly #under = new Map<string, number>();
  overlaps = 0;
  #highest = 0;

  async write(release: string, token: number): Promise<void> {
    if (token < this.#highest) {
      this.refused++;
      return;
    }
    this.#highest = token;
    this.#under.set(release, (this.#under.get(release) ?? 0) + 1);
    if ([...this.#under.values()].filter((count) => count > 0).length > 1) this.overlaps++;
    await new Promise((resolve) => setTimeout(resolve, 2));
    this.#under.set(release, (this.#under.get(release) ?? 0) - 1);
    this.effects.push({ release, atMs: performance.now(), token });
  }
}

/** Workers that act whenever they may, every few milliseconds. */
export class Workers {
  readonly #grants: readonly { readonly release: string; readonly grant: Grant }[];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(controller: string, token: string, service: string, releases: readonly string[], sink: Sink) {
    this.#grants = releases.flatMap((release) =>
      [1, 2].map(() => ({
        release,
        grant: new Grant({ controller, token: () => token, service, release, role: "producer" }),
      })),
    );
    for (const { release, grant } of this.#grants)
      this.#timers.push(setInterval(() => void grant.act((leave) => sink.write(release, leave)), 5));
  }

  /** Why each release may not act; empty for one that may. */
  get reasons(): readonly string[] {
    return this.#grants.map(({ grant }) => grant.reason);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#grants.map(({ grant }) => grant.stop()));
  }
}
