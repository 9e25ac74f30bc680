import { printableLine } from "../../core/printable.ts";
import { readFile, writeFile } from "node:fs/promises";
import { judgeProbes } from "../../core/judge/engine.ts";
import { coverage } from "../../core/judge/probes/coverage.ts";
import { deltaS } from "../../core/judge/probes/delta-s.ts";
import { gateLabel } from "../../core/judge/setting.ts";
import { httpAccess } from "../../drivers/access/http/index.ts";
import type { ProbeReport } from "../../core/measure/report.ts";
import { describeErrorClass } from "../../core/window/error-class.ts";
import { bp } from "../../core/unit.ts";
import { overall, type Verdict, type VerdictKind } from "../../core/verdict.ts";
import { loadCorpus } from "../../probe/corpus-file.ts";
import { systemClock } from "../../host/system-clock.ts";
import { type CalibrationLock, lockOf, readLock, writeLock } from "../../probe/lock.ts";
import { runProbes } from "../../probe/probe.ts";
import { toWire } from "../../probe/wire.ts";
import { PRESETS } from "../../spec/preset/index.ts";
import type { PrintedProbeAnswer } from "../answer/probe-answer.ts";
import { CliError } from "../cli-error.ts";
import { embedderNamed } from "../../host/embedder.ts";
import { headersAccess } from "../header-option.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readGold } from "../../host/read-gold.ts";
import { readMap } from "../../host/read-map.ts";
import type { Terminal } from "../terminal.ts";

export interface ProbeCommandOptions {
  readonly json: boolean;
  readonly target: string;
  readonly baseline: string | null;
  readonly gold: string;
  readonly k: number;
  readonly repeats: number;
  readonly tier: "smoke" | "full";
  readonly preset: string;
  readonly minCov: number | null;
  readonly maxDs: number | null;
  readonly corpus: string | null;
  readonly embedder: string;
  readonly lock: string | null;
  readonly map: string | null;
  /** `name: value`, sent to both services. */
  readonly header: readonly string[];
  readonly rps: number | null;
  readonly concurrency: number;
}

const TIMEOUT_MS = 30_000;
const BEFORE_USERS = { kind: "probes", candidateBp: bp(0), heldMs: 0, holdMs: 0 } as const;
const EXITS: Readonly<Record<VerdictKind, ExitCode>> = {
  pass: EXIT.ok,
  fail: EXIT.gateFailed,
  inconclusive: EXIT.waiting,
  "no-data": EXIT.waiting,
  error: EXIT.toolError,
};

/** Probe gates of a preset, with the two limits the command line can set. */
function gatesOf({ preset, minCov, maxDs }: ProbeCommandOptions) {
  const gates = PRESETS[preset]?.gates ?? {};
  return Object.entries(gates).map(([gate, options]) => {
    const source = `preset ${preset}`;
    if (gate === coverage.name && minCov !== null)
      return { gate, options: { ...options, level: minCov, topicLevel: minCov }, source };
    if (gate === deltaS.name && maxDs !== null) return { gate, options: { ...options, limit: maxDs }, source };
    return { gate, options: { ...options }, source };
  });
}

async function openLock(path: string | null): Promise<CalibrationLock | null> {
  const text = path === null ? null : await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  const read = readLock(text);
  return "lock" in read ? read.lock : null; // A lock that cannot be read is made again, like a stale one.
}

/** A target that answers nothing at all is a wrong address, not a bad release. */
function checkReached(report: ProbeReport, options: ProbeCommandOptions): void {
  const { stable, candidate } = report.arms;
  for (const [arm, url] of [
    [candidate, options.target],
    [stable, options.baseline],
  ] as const) {
    if (arm === null || arm.runs === 0 || arm.errors < arm.runs) continue;
    const [first] = arm.failures;
    const met = first === undefined ? "failed" : describeErrorClass(first.what);
    const answered = first?.excerpt ?? "";
    const what = `${arm.errors} of ${arm.runs} probes ${met} at ${url}${answered === "" ? "" : `: ${answered}`}`;
    throw new CliError(
      EXIT.toolError,
      `${what}; check the address, its credentials (--header) and that the service runs`,
    );
  }
}

function verdictLine(verdict: Verdict, terminal: Terminal): string {
  const { kind, reason } = verdict;
  const style = kind === "pass" ? "good" : kind === "fail" ? "bad" : "warn";
  return `${terminal.paint(style, kind.padEnd(12))} ${gateLabel(verdict)}: ${printableLine(reason)}`;
}

/** `sluice probe`: asks the gold set of one service, or of two in pairs, and judges the answers. */
export async function probe(options: ProbeCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const gold = await readGold(options.gold);
  const map = options.map === null ? null : await readMap(options.map);
  const plan = headersAccess(options.header);
  const access = plan === null ? null : httpAccess(plan, systemClock());
  const target = (url: string) => ({ url, pins: null, map, access });
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const report = await runProbes({
    stable: options.baseline === null ? null : target(options.baseline),
    candidate: target(options.target),
    gold,
    tier: options.tier,
    k: options.k,
    repeats: options.repeats,
    embedder: embedderNamed(options.embedder),
    corpus: options.corpus === null ? null : await loadCorpus(options.corpus),
    lock: await openLock(options.lock),
    clock: systemClock(),
    fetch,
    signal: stop.signal,
    requestsPerSecond: options.rps,
    concurrency: options.concurrency,
    timeoutMs: TIMEOUT_MS,
    seed: 1,
  });
  checkReached(report, options);
  const lock = lockOf(report);
  if (options.lock !== null && lock !== null) await writeFile(options.lock, writeLock(lock));
  const verdicts = judgeProbes(report, BEFORE_USERS, gatesOf(options));
  const kind = overall(verdicts);
  if (options.json) {
    const answer: PrintedProbeAnswer = toWire(report, kind);
    terminal.data(JSON.stringify(answer));
  } else {
    for (const verdict of verdicts) terminal.data(verdictLine(verdict, terminal));
  }
  return EXITS[kind];
}
