// What users met beside each attack, at the gateway and at nginx, and whether that is good enough.
const EXTRA_MB_MAX = 200;
const WIDTHS = [25, 14, 9, 9, 8, 16, 9, 8];

const ms = (value) => (value === null ? "none" : value.toFixed(1));
const line = (cells) =>
  cells.map((cell, at) => (at === 0 ? cell.padEnd(WIDTHS[at]) : cell.padStart(WIDTHS[at]))).join(" ");

/** @param found rows of `sluice` and `nginx`, the first of each without an attack */
export function printTable({ sluice, nginx }) {
  console.log(line(["", "failed", "p50 ms", "p99 ms", "MB", "nginx: failed", "p99 ms", "MB"]));
  sluice.forEach((ours, at) => {
    const theirs = nginx[at];
    const failed = `${ours.failed} of ${ours.asked}`;
    const left = [ours.title, failed, ms(ours.p50Ms), ms(ours.p99Ms), ours.peakMb.toFixed(0)];
    console.log(line([...left, String(theirs.failed), ms(theirs.p99Ms), theirs.peakMb.toFixed(0)]));
  });
}

/** Three goals of each attack: nobody else fails, nobody else waits, memory is bounded. */
export function goalsOf({ sluice, nginx }) {
  const [quiet, ...attacked] = sluice;
  return attacked.flatMap((ours, at) => {
    const theirs = nginx[at + 1];
    const latest = Number.POSITIVE_INFINITY;
    const p99Max = Math.max(2 * (quiet.p99Ms ?? latest), theirs.p99Ms ?? latest);
    const extraMb = ours.peakMb - quiet.peakMb;
    const failures = ours.failed === 0 ? "0" : `${ours.failed} ${JSON.stringify(ours.failures)}`;
    const isSoon = (ours.p99Ms ?? latest) <= p99Max;
    return [
      { goal: `${ours.title}: requests of others that failed`, found: failures, met: ours.failed === 0 },
      {
        goal: `${ours.title}: p99 <= ${ms(p99Max)} ms (2 x quiet, or nginx's)`,
        found: `${ms(ours.p99Ms)} ms`,
        met: isSoon,
      },
      {
        goal: `${ours.title}: <= ${EXTRA_MB_MAX} MB over rest`,
        found: `${extraMb.toFixed(0)} MB`,
        met: extraMb <= EXTRA_MB_MAX,
      },
    ];
  });
}
