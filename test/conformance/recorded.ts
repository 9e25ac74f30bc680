import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** What a conformance run says of itself. */
export interface RunOf {
  readonly port: "index" | "queue" | "cache";
  readonly product: string;
  /** A real server of the product, or a fake of its documented behaviour. */
  readonly against: "real" | "fake";
  /** What was run, with versions. */
  readonly with: string;
}

/** A run as it is kept in `results/`, one file each. */
export interface Result extends RunOf {
  readonly can: Readonly<Record<string, boolean | string>>;
  readonly passed: readonly string[];
  /** Laws that the product cannot keep, with the reason. */
  readonly waived: Readonly<Record<string, string>>;
}

type Register = (name: string, run: () => Promise<void>) => void;

/**
 * Keeps what a suite came to in `results/`, so that a page can be made of it. Give `it` to the suite, then call `keep`:
 * its test fails when the kept result is not what just ran. `vitest --update` writes it.
 */
export function recorded(of: RunOf, it: Register, waived: Readonly<Record<string, string>> = {}) {
  const passed: string[] = [];
  return {
    it: ((name, run) =>
      it(name, async () => {
        await run();
        passed.push(name);
      })) satisfies Register,
    keep(can: () => Promise<Result["can"]>): void {
      it("is what the table of drivers says", async () => {
        const result: Result = { ...of, can: await can(), passed, waived };
        const path = fileURLToPath(new URL(`results/${of.port}.${of.product}.json`, import.meta.url));
        await expect(`${JSON.stringify(result, null, 2)}\n`).toMatchFileSnapshot(path);
      });
    },
  };
}
