import type { EpochMs } from "../../core/unit.ts";
import { type RestoreResult, restoreBackup } from "../../host/backup/restore.ts";
import { acceptServer, restoreToServer } from "../../host/backup/server.ts";
import type { StoreServer } from "../../host/open-store.ts";
import { systemClock } from "../../host/system-clock.ts";
import { CliError } from "../cli-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { storeServer } from "../store-server.ts";
import type { Terminal } from "../terminal.ts";

export interface RestoreOptions {
  readonly json: boolean;
  readonly dataDir: string;
  /** True when a database that is there may be moved aside. */
  readonly isReplacing: boolean;
  /** Address of the server to restore into; left out for the database of the data directory. */
  readonly store?: string | undefined;
}

/**
 * `sluice restore FILE`: a backup becomes the database of a data directory, or with `--store` of an empty database of a
 * server. Without a file it accepts a server's database that was put back by other means. What is refused is exit 13.
 */
export async function restore(file: string | null, options: RestoreOptions, terminal: Terminal): Promise<ExitCode> {
  const { json, dataDir, isReplacing } = options;
  const nowMs = systemClock().wallMs();
  const server = storeServer(options.store);
  if (file === null) return accept(server, json, nowMs, terminal);
  if (server !== null && isReplacing)
    throw new CliError(EXIT.badUsage, "--replace moves a folder aside; name an empty database with --store instead");
  const result =
    server === null
      ? await restoreBackup(file, dataDir, isReplacing, nowMs)
      : await restoreToServer(file, dataDir, server, nowMs);
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
  } else for (const line of linesOf(result, dataDir, options.store ?? null, nowMs)) terminal.say(line);
  return EXIT.ok;
}

async function accept(
  server: StoreServer | null,
  json: boolean,
  nowMs: EpochMs,
  terminal: Terminal,
): Promise<ExitCode> {
  if (server === null) {
    const advice = "or with --store the server whose database was put back by other means";
    throw new CliError(EXIT.badUsage, `restore needs a file that \`sluice backup\` wrote, ${advice}`);
  }
  const { place, rollouts, paused } = await acceptServer(server, nowMs);
  if (json) terminal.data(JSON.stringify({ store_at: place, rollouts, paused }));
  else {
    terminal.say(`${place} goes on above whatever was given since it was copied: rollouts ${rollouts}`);
    for (const line of pausedLines(paused)) terminal.say(line);
  }
  return EXIT.ok;
}

const pausedLines = (paused: readonly string[]) =>
  paused.map((id) => `paused: ${id}; look at what users have (sluice gateways), then abort or resume it`);

function linesOf(result: RestoreResult, dataDir: string, address: string | null, nowMs: number): readonly string[] {
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
    ...pausedLines(paused),
    `next: sluice serve --data ${dataDir}${address === null ? "" : ` --store ${address}`}; gateways keep what they serve until a command or a rollout orders ` +
      `something else, and a silent one may hold a lease for ${leaseMs / 1_000} s`,
  ];
}
