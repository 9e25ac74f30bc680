import { z } from "zod";
import { type Calibration, judgedCalibration } from "../core/measure/calibration.ts";
import type { ProbeReport } from "../core/measure/report.ts";
import type { Problem } from "../core/problem.ts";
import { parseSource } from "../spec/source.ts";
import { checkShape } from "./shape-problems.ts";

/** A calibration as it is kept in a lock file beside the gold set. */
export interface CalibrationLock {
  readonly goldDigest: string;
  /** EVAL_EMBED_VER it was made with. */
  readonly embedder: string;
  readonly mGold: number;
  readonly mDecoy: number;
  readonly auc: number;
}

const CODES = { missing: "E232", type: "E233", unknownKey: "E234", value: "E235" } as const;
const VERSION = 1;

const lockSchema = z.strictObject({
  version: z.literal(VERSION),
  gold_digest: z.string().min(1),
  embedder: z.string().min(1),
  m_gold: z.number().min(0).max(2),
  m_decoy: z.number().min(0).max(2),
  auc: z.number().min(0).max(1),
});

/** Reads a lock file; every problem at once. */
export function readLock(text: string): { readonly lock: CalibrationLock } | readonly Problem[] {
  const source = parseSource(text);
  if (!("value" in source)) return source.map((problem) => ({ ...problem, code: "E231" }));
  const checked = checkShape(lockSchema, source, CODES);
  if (!("value" in checked)) return checked;
  const { gold_digest, embedder, m_gold, m_decoy, auc } = checked.value;
  return { lock: { goldDigest: gold_digest, embedder, mGold: m_gold, mDecoy: m_decoy, auc } };
}

/** Text of a lock file; equal locks have equal texts. */
export function writeLock({ goldDigest, embedder, mGold, mDecoy, auc }: CalibrationLock): string {
  const members = { version: VERSION, gold_digest: goldDigest, embedder, m_gold: mGold, m_decoy: mDecoy, auc };
  return `${JSON.stringify(members, null, 2)}\n`;
}

/** Why a lock no longer holds; null while it does. */
export function staleReason(lock: CalibrationLock, goldDigest: string, embedder: string): string | null {
  if (lock.goldDigest !== goldDigest) return "the gold set changed since the calibration";
  return lock.embedder === embedder ? null : `the calibration was made with ${lock.embedder}, the judge is ${embedder}`;
}

/** The calibration a lock keeps, judged again by today's rules. */
export function lockedCalibration({ mGold, mDecoy, auc }: CalibrationLock): Calibration {
  return judgedCalibration(mGold, mDecoy, auc);
}

/** The lock to keep after a report; null when its calibration is unusable. */
export function lockOf({ goldDigest, calibration, arms }: ProbeReport): CalibrationLock | null {
  if (!calibration.usable) return null;
  const { mGold, mDecoy, auc } = calibration;
  return { goldDigest, embedder: arms.candidate.deltaS.embedder, mGold, mDecoy, auc };
}
