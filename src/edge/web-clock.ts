import { epochMs } from "../core/unit.ts";
import type { LeaseClock } from "../plane/lease.ts";

/** The platform's clocks, wherever web standards hold. */
export const WEB_CLOCK: LeaseClock = {
  wallMs: () => epochMs(Date.now()),
  monoMs: () => performance.now(),
};
