import { assert } from "../core/assert.ts";
import { acceptCases, revisionCases } from "./inbox-accept-cases.ts";
import { windowCases, workCases } from "./inbox-work-cases.ts";
import type { InboxCase, InboxWorld } from "./inbox-world.ts";

export type { InboxCase, InboxWorld } from "./inbox-world.ts";

/** What every webhook inbox must do. Data without a test runner. */
export const inboxSuite: readonly InboxCase[] = [...acceptCases, ...revisionCases, ...workCases, ...windowCases];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function inboxConformance(
  open: () => InboxWorld | Promise<InboxWorld>,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      inboxSuite.some((c) => c.name === name),
      `stale waiver: ${name}`,
    );
  for (const c of inboxSuite) if (!(c.name in waived)) it(c.name, async () => c.run(await open()));
}
