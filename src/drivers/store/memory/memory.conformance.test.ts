import { describe, it } from "vitest";
import { storeConformance } from "../../../testing/store-suite.ts";
import { memoryStore } from "./driver.ts";

describe("store/memory", () => {
  const store = memoryStore();
  let worlds = 0;
  storeConformance(() => ({ open: () => Promise.resolve(store), prefix: `w${++worlds}` }), it);
});
