import { assert } from "../core/assert.ts";
import { outcomeCases, raceCases } from "./fence-outcome-cases.ts";
import { isolationCases, leaseCases, ownerCases, timeCases } from "./fence-owner-cases.ts";
import type { FenceCase, FenceWorld } from "./fence-world.ts";

export type { FenceCase, FenceWorld } from "./fence-world.ts";

/** What every fence store must do. Data without a test runner, so that it also runs inside workerd. */
export const fenceSuite: readonly FenceCase[] = [
  ...outcomeCases,
  ...raceCases,
  ...ownerCases,
  ...timeCases,
  ...leaseCases,
  ...isolationCases,
];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function fenceConformance(
  open: () => FenceWorld,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      fenceSuite.some((c) => c.name === name),
      `stale waiver: ${name}`,
    );
  for (const c of fenceSuite) if (!(c.name in waived)) it(c.name, () => c.run(open()));
}
