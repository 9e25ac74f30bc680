export { type FenceCase, fenceConformance, fenceSuite, type FenceWorld } from "./fence-suite.ts";
export { type ManualClock, manualClock } from "./manual-clock.ts";
