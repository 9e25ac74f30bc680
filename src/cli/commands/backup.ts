import { existsSync } from "node:fs";
import { link, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createWriteStream } from "node:fs";
import { backUpStopped } from "../../host/backup/back-up.ts";
import { readBackup } from "../../host/backup/backup-file.ts";
import { backUpServer } from "../../host/backup/server.ts";
import { knownAddress } from "../../host/controller-address.ts";
import { findOwner } from "../../host/data-directory-lock.ts";
import { CliError } from "../cli-error.ts";
import { ControllerClient } from "../controller-client.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { storeServer } from "../store-server.ts";
import type { Terminal } from "../terminal.ts";

interface BackupOptions {
  readonly json: boolean;
  readonly dataDir: string;
  readonly controller: string | null;
  /** Address of the server that keeps the store of a stopped controller. */
  readonly store?: string | undefined;
}

/**
 * `sluice backup FILE`: everything a controller knows as of one moment, its credentials too. A running one is asked, a
 * stopped one's database is read. The file is there when it was read back whole, and no earlier.
 */
export async function backup(file: string, options: BackupOptions, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(file)) throw inTheWay(file);
  const draft = `${file}.${process.pid}.draft`;
  try {
    await write(draft, options);
    const seen = await contentOf(draft);
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "EEXIST" ? inTheWay(file) : error;
    });
    if (options.json) terminal.data(JSON.stringify({ file, ...seen }));
    else {
      const { store, rollouts, bytes } = seen;
      terminal.say(`backup of store ${store} in ${file}: rollouts ${rollouts}, bytes ${bytes}`);
      terminal.say("it holds the tokens and the signing key: keep it as you keep them");
    }
    return EXIT.ok;
  } finally {
    await rm(draft, { force: true });
  }
}

function inTheWay(file: string): CliError {
  return new CliError(EXIT.conflict, `${file} is there already and is not overwritten; name another file`);
}

async function write(draft: string, { dataDir, controller, store }: BackupOptions): Promise<void> {
  const server = storeServer(store);
  const isRunning =
    controller !== null || (await findOwner(dataDir)) !== null || (await knownAddress(dataDir)) !== null;
  if (isRunning) {
    const client = await ControllerClient.connect({ controller, dataDir });
    return pipeline(await client.body("/v1/backup"), createWriteStream(draft, { flags: "wx", mode: 0o600 }));
  }
  if (server !== null) return backUpServer(draft, dataDir, server, Date.now());
  const pid = await backUpStopped(draft, dataDir, Date.now());
  if (pid === null) return;
  throw new CliError(EXIT.conflict, `process ${pid} took ${dataDir} at this moment; try again`);
}

/** Reads back what was written. */
async function contentOf(path: string) {
  let [store, rollouts] = ["", 0];
  const { takenAt } = await readBackup(path, ({ table, row }) => {
    if (table === "ownership") store = String(row["store"]);
    if (table === "rollouts") rollouts++;
  });
  return { store, rollouts, taken_at: takenAt, bytes: (await stat(path)).size };
}
