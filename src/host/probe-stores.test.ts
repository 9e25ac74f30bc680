import { describe, expect, it } from "vitest";
import { ProbeStores } from "./probe-stores.ts";

describe("ProbeStores", () => {
  it("keeps the answers of two rollouts that probe at once", () => {
    const stores = new ProbeStores();
    const first = stores.of("search-1", 1);
    const second = stores.of("billing-1", 1);
    expect(second).not.toBe(first);
    expect(stores.of("search-1", 1)).toBe(first);
    expect(stores.of("billing-1", 1)).toBe(second);
  });

  it("drops the answers of an earlier generation: they are of another release", () => {
    const stores = new ProbeStores();
    const first = stores.of("search-1", 1);
    const second = stores.of("search-1", 2);
    expect(second).not.toBe(first);
    expect(stores.of("search-1", 1)).not.toBe(first);
  });

  it("keeps 16 rollouts and lets go of the one that asked longest ago", () => {
    const stores = new ProbeStores();
    const kept = Array.from({ length: 16 }, (_, index) => stores.of(`r-${index}`, 1));
    expect(stores.of("r-0", 1)).toBe(kept[0]);
    stores.of("r-16", 1);
    expect(stores.of("r-0", 1)).toBe(kept[0]);
    expect(stores.of("r-1", 1)).not.toBe(kept[1]);
  });
});
