import { describe, it } from "vitest";
import { trafficConformance } from "../../../testing/traffic-suite.ts";
import { memoryTraffic } from "./driver.ts";

describe("traffic/memory", () => {
  trafficConformance(() => ({ driver: memoryTraffic(), service: "rag", settle: () => Promise.resolve() }), it);
});
