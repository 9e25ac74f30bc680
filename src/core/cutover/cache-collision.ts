import type { ByArm, ServingArm } from "../arm.ts";
import type { CachePlan } from "./resources.ts";

/** The arms whose entries a set of whole keys touches. A purge that touches both is a collision (CA-11). */
export function armsTouched(keys: readonly string[], namespace: ByArm<string>): readonly ServingArm[] {
  const arms: readonly ServingArm[] = ["stable", "candidate"];
  return arms.filter((arm) => keys.some((key) => key.startsWith(namespace[arm])));
}

/**
 * Why the caches of the arms are not held apart: what one of them is given or loses, the other would be given or lose.
 * Each text says what was found and what to do; none: they are apart.
 */
export function cacheCollisions({ namespace, purge }: Pick<CachePlan, "namespace" | "purge">): readonly string[] {
  const { stable, candidate } = namespace;
  if (stable === "" || candidate === "") return ["a namespace of the cache is empty, so it holds every key; name both"];
  if (stable === candidate)
    return [`both arms cache under "${stable}", so users of one are given answers of the other; name two`];
  const [short, long] = stable.length < candidate.length ? [stable, candidate] : [candidate, stable];
  if (long.startsWith(short)) {
    const found = `the namespace "${long}" lies inside "${short}"`;
    return [`${found}, so a purge of the one empties the other; let each end with a sign that the other has not there`];
  }
  const carrying = purge.filter((key) => armsTouched([key], namespace).length > 0);
  return carrying.map((key) => `the key "${key}" of the purge carries a namespace already; write it without`);
}
