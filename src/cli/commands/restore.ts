import { type RestoreResult, restoreBackup } from "../../host/backup/restore.ts";
import { systemClock } from "../../host/system-clock.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

export interface RestoreOptions {
  readonly json: boolean;
  readonly dataDir: string;
  /** True when a database that is there may be moved aside. */
  readonly isReplacing: boolean;
}

/** `sluice restore FILE`: a backup becomes the database of a data directory. Whatever is refused is exit 13. */
export async function restore(file: string, options: RestoreOptions, terminal: Terminal): Promise<ExitCode> {
  const { json, dataDir, isReplacing } = options;
  const nowMs = systemClock().wallMs();
  const result = await restoreBackup(file, dataDir, isReplacing, nowMs);
  if (result.kind === "taken") {
    const advice = "stop it first; a database that is open is never replaced";
    throw new CliError(EXIT.conflict, `${dataDir} belongs to process ${result.pid}; ${advice}`);
  }
  if (result.kind === "there") {
    const advice = "nothing was changed; name another --data, or move it aside with --replace";
    throw new CliError(EXIT.conflict, `${result.what}; ${advice}`);
  }
  if (json) {
    const { kind: _, takenAt, leaseMs, ...rest } = result;
    terminal.data(JSON.stringify({ data: dataDir, ...rest, taken_at: takenAt, lease_ms: leaseMs }));
  } else for (const line of linesOf(result, dataDir, nowMs)) terminal.say(line);
  return EXIT.ok;
}

function linesOf(result: RestoreResult, dataDir: string, nowMs: number): readonly string[] {
  const { store, rollouts, takenAt, aside, lost, paused, leaseMs } = result;
  const ageS = Math.max(0, Math.round((nowMs - takenAt) / 1_000));
  const taken = `${new Date(takenAt).toISOString().slice(0, 19)}Z, ${ageS} s ago`;
  const unknown = [
    `lost: whatever happened in those ${ageS} s; there was no database to compare with, so rollouts begun since are unknown`,
  ];
  return [
    `${dataDir} holds store ${store} as of ${taken}: rollouts ${rollouts}`,
    ...(aside === null ? [] : [`the database that was there lies in ${aside}`]),
    ...(lost === null ? unknown : lost.length === 0 ? ["nothing was lost"] : lost.map((what) => `lost: ${what}`)),
    ...paused.map((id) => `paused: ${id}; look at what users have (sluice gateways), then abort or resume it`),
    `next: sluice serve --data ${dataDir}; gateways keep what they serve until a command or a rollout orders ` +
      `something else, and a silent one may hold a lease for ${leaseMs / 1_000} s`,
  ];
}
