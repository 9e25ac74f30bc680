import type { FenceRecord } from "../../../core/fence/record.ts";

/**
 * A record as one Redis string: lines, so that a script can read the fields it compares without parsing JSON (Lua's
 * numbers would lose digits of a token). Free text is JSON on its line; the result comes last and is kept as it is.
 * The scripts in scripts.ts count on this order.
 */
const STATES = { locked: "L", done: "D", unknown: "U", free: "F" } as const;
const STATE_OF = { L: "locked", D: "done", U: "unknown", F: "free" } as const;

/** Lines 9 to 11: what never changes during a grant. */
export function fixedLines(of: Pick<FenceRecord, "kind" | "fingerprint" | "effectKey">): string {
  return [of.kind, JSON.stringify(of.fingerprint), JSON.stringify(of.effectKey)].join("\n");
}

export function encode(record: FenceRecord): string {
  const { state, attemptId, token, beat, leaseUntilMs, createdAtMs, expiresAtMs, note, result } = record;
  const head = [STATES[state], attemptId, token, beat, leaseUntilMs, createdAtMs, expiresAtMs ?? "-"].join("\n");
  return `${head}\n${JSON.stringify(note)}\n${fixedLines(record)}\n${result ?? ""}`;
}

const LINES = 11;

export function decode(scope: string, key: string, text: string): FenceRecord {
  const lines: string[] = [];
  let from = 0;
  while (lines.length < LINES) {
    const to = text.indexOf("\n", from);
    if (to < 0) throw new Error(`invariant: a fence record has ${LINES} lines before its result: ${text.slice(0, 80)}`);
    lines.push(text.slice(from, to));
    from = to + 1;
  }
  const [mark, attemptId, token, beat, leaseUntilMs, createdAtMs, expiresAtMs, note, kind, fingerprint, effectKey] =
    lines;
  const state = STATE_OF[mark as keyof typeof STATE_OF];
  return {
    scope,
    key,
    state,
    kind: kind as FenceRecord["kind"],
    fingerprint: JSON.parse(fingerprint as string) as string,
    attemptId: attemptId as string,
    token: Number(token),
    beat: Number(beat),
    leaseUntilMs: Number(leaseUntilMs),
    effectKey: JSON.parse(effectKey as string) as string | null,
    note: JSON.parse(note as string) as string,
    result: state === "done" ? text.slice(from) : null,
    createdAtMs: Number(createdAtMs),
    expiresAtMs: expiresAtMs === "-" ? null : Number(expiresAtMs),
  };
}
