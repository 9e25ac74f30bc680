import { describe, expect, it } from "vitest";
import { armsTouched, cacheCollisions } from "./cache-collision.ts";

const split = (stable: string, candidate: string, purge: readonly string[] = []) => ({
  namespace: { stable, candidate },
  purge,
});

describe("caches that are not held apart", () => {
  it("finds nothing where neither namespace begins the other and keys carry none", () => {
    expect(cacheCollisions(split("blue:", "green:", ["home", "bluebird"]))).toEqual([]);
    expect(cacheCollisions(split("v2:", "v20:"))).toEqual([]);
  });

  it("finds namespaces that are one, empty, or one inside the other, whichever arm has it", () => {
    expect(cacheCollisions(split("blue:", "blue:"))).toEqual([
      expect.stringContaining('both arms cache under "blue:"'),
    ]);
    expect(cacheCollisions(split("", "green:"))).toEqual([expect.stringContaining("is empty")]);
    for (const [a, b] of [
      ["v2", "v20"],
      ["v20", "v2"],
    ] as const)
      expect(cacheCollisions(split(a, b))).toEqual([expect.stringContaining('"v20" lies inside "v2"')]);
  });

  it("finds keys of a purge that carry a namespace, of either arm", () => {
    expect(cacheCollisions(split("blue:", "green:", ["home", "green:home", "blue:x"]))).toHaveLength(2);
  });

  it("says which arms a set of whole keys touches, so that a purge of both is seen", () => {
    const namespace = { stable: "blue:", candidate: "green:" };
    expect(armsTouched(["blue:a", "other"], namespace)).toEqual(["stable"]);
    expect(armsTouched(["blue:a", "green:a"], namespace)).toEqual(["stable", "candidate"]);
    expect(armsTouched([], namespace)).toEqual([]);
  });
});
