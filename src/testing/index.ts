export { type CacheCase, cacheConformance, cacheSuite, type CacheWorld } from "./cache-suite.ts";
export { type FenceCase, fenceConformance, fenceSuite, type FenceWorld } from "./fence-suite.ts";
export {
  type IndexCase,
  indexConformance,
  type IndexScene,
  indexSuite,
  type IndexWorld,
  type WantedIndex,
} from "./index-suite.ts";
export { type InboxCase, inboxConformance, inboxSuite, type InboxWorld } from "./inbox-suite.ts";
export { type ManualClock, manualClock } from "./manual-clock.ts";
export { type MetricCase, metricConformance, metricSuite, type MetricState, type MetricWorld } from "./metric-suite.ts";
export { type OutboxCase, outboxConformance, outboxSuite, type OutboxWorld } from "./outbox-suite.ts";
export {
  GIVES_NOTHING_WHEN_STOPPED,
  type GivenMessage,
  type QueueCase,
  queueConformance,
  queueSuite,
  type QueueWorld,
} from "./queue-suite.ts";
export { storeConformance, storeSuite } from "./store-suite.ts";
export type { StoreCase, StoreWorld } from "./store-world.ts";
export { type TrafficCase, trafficConformance, trafficSuite, type TrafficWorld } from "./traffic-suite.ts";
export {
  type PlaneAnswer,
  type PlaneCase,
  planeConformance,
  planeDocument,
  planeSuite,
  type PlaneWorld,
} from "./plane-suite.ts";
export { makeSuiteSigner, type SuiteSigner } from "./suite-signer.ts";
