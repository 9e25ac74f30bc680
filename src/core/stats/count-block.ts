import { assert } from "../assert.ts";

/** Failures among all requests of one arm; integers, 0 <= failures <= total. */
export interface ArmCount {
  readonly failures: number;
  readonly total: number;
}

/** Both arms in one block: the same seconds, so that whatever hits both arms at once is no evidence. */
export interface CountBlock {
  readonly stable: ArmCount;
  readonly candidate: ArmCount;
}

export const NO_COUNTS: CountBlock = { stable: { failures: 0, total: 0 }, candidate: { failures: 0, total: 0 } };

/** Both blocks together, arm by arm. */
export function addCounts(left: CountBlock, right: CountBlock): CountBlock {
  return { stable: add(left.stable, right.stable), candidate: add(left.candidate, right.candidate) };
}

/** Throws an invariant error on counts that cannot be. */
export function assertCounts(block: CountBlock): void {
  assertArm(block.stable, "stable");
  assertArm(block.candidate, "candidate");
}

function add(left: ArmCount, right: ArmCount): ArmCount {
  return { failures: left.failures + right.failures, total: left.total + right.total };
}

function assertArm({ failures, total }: ArmCount, arm: string): void {
  const valid = Number.isSafeInteger(failures) && Number.isSafeInteger(total) && failures >= 0 && failures <= total;
  assert(valid, `${arm} counts are integers with 0 <= failures <= total: ${failures} of ${total}`);
}
