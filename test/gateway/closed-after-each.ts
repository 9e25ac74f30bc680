import { afterEach } from "vitest";
import { anOrigin, type Origin } from "./world.ts";

/** What a test of the file opened; whatever is pushed here is closed after it, the last one first. */
export function closedAfterEach(): (() => Promise<unknown>)[] {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });
  return open;
}

/** Starts origins that are closed with the rest of `open`. */
export function originsIn(open: (() => Promise<unknown>)[]): (...args: Parameters<typeof anOrigin>) => Promise<Origin> {
  return async (...args) => {
    const made = await anOrigin(...args);
    open.push(() => made.close());
    return made;
  };
}
