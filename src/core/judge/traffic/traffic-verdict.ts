import type { ByArm } from "../../arm.ts";
import type { Verdict, VerdictKind } from "../../verdict.ts";

/** What every verdict of one gate at one moment has in common. */
export interface VerdictBase {
  readonly gate: string;
  readonly samples: ByArm<number>;
  readonly threshold: number | null;
  readonly alpha: number | null;
}

interface Finding {
  readonly estimate: number | null;
  readonly interval?: readonly [low: number, high: number] | null;
  readonly logE?: number | null;
  readonly condition?: string;
  readonly segment?: string;
  readonly reason: string;
  readonly needs?: string | null;
}

/** Largest exponent that stays finite. */
const LN_MAX = 700;

/** A verdict of a traffic gate; `logE` is the logarithm of its e-value. */
export function trafficVerdict(base: VerdictBase, kind: VerdictKind, finding: Finding): Verdict {
  const { estimate, interval = null, logE = null, condition, segment, reason, needs = null } = finding;
  const eValue = logE === null ? null : Math.exp(Math.min(LN_MAX, logE));
  return {
    ...base,
    kind,
    estimate,
    interval,
    eValue,
    reason,
    needs,
    ...(condition === undefined ? {} : { condition }),
    ...(segment === undefined ? {} : { segment }),
  };
}

/** A share as people read it: `0.52 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
