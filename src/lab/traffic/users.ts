import { assert } from "../../core/assert.ts";

/**
 * Draws users by Zipf's law: user number r (from 1) with a weight of 1 / r^exponent. `pick` maps a uniform number in
 * [0, 1) to a name, in O(log users).
 */
export function zipfUsers(users: number, exponent: number): (uniform: number) => string {
  assert(Number.isInteger(users) && users >= 1, `at least one user: ${users}`);
  assert(exponent >= 0 && Number.isFinite(exponent), `exponent >= 0: ${exponent}`);
  const upTo = new Float64Array(users);
  let sum = 0;
  for (let rank = 1; rank <= users; rank++) {
    sum += rank ** -exponent;
    upTo[rank - 1] = sum;
  }
  return (uniform) => {
    const target = uniform * sum;
    let [low, high] = [0, users - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (upTo[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return `user-${low + 1}`;
  };
}
