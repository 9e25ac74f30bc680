import type { QueuePositions } from "../../../ports/queue.ts";

/** A job's place: when it was made, in microseconds, and its id; jobs of one instant are ordered by their ids. */
type Place = readonly [madeUs: bigint, id: bigint];

const ID_MAX = 2n ** 128n - 1n;
const FIRST: Place = [0n, 0n];

function parse(text: string | undefined): Place {
  if (text === undefined) return FIRST;
  const [madeUs = "0", id = "0"] = text.split("/");
  return [BigInt(madeUs), BigInt(`0x${id.replaceAll("-", "") || "0"}`)];
}

const textOf = ([madeUs, id]: Place) => `${madeUs}/${id.toString(16).padStart(32, "0")}`;

/** The place just before; no job can lie between the two. */
export function placeBefore(text: string): string {
  const [madeUs, id] = parse(text);
  return id > 0n ? textOf([madeUs, id - 1n]) : textOf([madeUs - 1n, ID_MAX]);
}

/** Behind every job of this microsecond. */
export const behindAll = (us: string): string => textOf([BigInt(us), ID_MAX]);

export function reaches(found: QueuePositions, mark: QueuePositions): boolean {
  const [a, b] = [parse(found["0"]), parse(mark["0"])];
  return a[0] === b[0] ? a[1] >= b[1] : a[0] > b[0];
}
