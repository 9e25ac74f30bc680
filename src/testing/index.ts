export { type FenceCase, fenceConformance, fenceSuite, type FenceWorld } from "./fence-suite.ts";
export { type ManualClock, manualClock } from "./manual-clock.ts";
export { type StoreCase, storeConformance, storeSuite, type StoreWorld } from "./store-suite.ts";
export { type TrafficCase, trafficConformance, trafficSuite, type TrafficWorld } from "./traffic-suite.ts";
