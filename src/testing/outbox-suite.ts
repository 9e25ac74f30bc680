import { claimCases, markCases } from "./outbox-claim-cases.ts";
import { deskCases, inboxCases } from "./outbox-desk-cases.ts";
import { writeCases } from "./outbox-write-cases.ts";
import type { OutboxCase, OutboxWorld } from "./outbox-world.ts";

export type { OutboxCase, OutboxWorld } from "./outbox-world.ts";

/** What every outbox and its inbox must do. Data without a test runner. */
export const outboxSuite: readonly OutboxCase[] = [
  ...writeCases,
  ...claimCases,
  ...markCases,
  ...deskCases,
  ...inboxCases,
];

/** Registers the suite with a test runner. `open` makes a world with empty tables for each case. */
export function outboxConformance<Transaction>(
  open: () => Promise<OutboxWorld<Transaction>>,
  it: (name: string, run: () => Promise<void>) => void,
): void {
  for (const { name, run } of outboxSuite) it(name, async () => run(await open()));
}
