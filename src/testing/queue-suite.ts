import { assert } from "../core/assert.ts";
import { countCases } from "./queue-count-cases.ts";
import { moveCases } from "./queue-move-cases.ts";
import { pointerCases } from "./queue-pointer-cases.ts";
import type { QueueCase, QueueWorld } from "./queue-world.ts";

export { GIVES_NOTHING_WHEN_STOPPED } from "./queue-move-cases.ts";
export type { GivenMessage, QueueCase, QueueWorld } from "./queue-world.ts";

/** What every queue that can be cut over must do. Data without a test runner. */
export const queueSuite: readonly QueueCase[] = [...moveCases, ...countCases, ...pointerCases];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function queueConformance(
  open: () => QueueWorld,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      queueSuite.some((one) => one.name === name),
      `stale waiver: ${name}`,
    );
  for (const one of queueSuite) {
    if (one.name in waived) continue;
    it(one.name, async () => {
      const world = open();
      try {
        await one.run(world);
      } finally {
        await world.close();
      }
    });
  }
}
