import { createHash, randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** What the lock file holds. The owner is alive if and only if its socket answers with the nonce. */
interface LockFile {
  readonly pid: number;
  readonly boot_id: string;
  readonly nonce: string;
  readonly socket: string;
}

/** What the owner's socket answers, as one JSON line. */
interface OwnerAnswer {
  readonly nonce: string;
  readonly pid: number;
  readonly api_url: string | null;
  readonly token_file: string | null;
}

export interface LockOwner {
  readonly pid: number;
  readonly apiUrl: string | null;
  readonly tokenFile: string | null;
}

export interface HeldLock {
  /** Tells the command line where the API is, from now on. */
  announce(apiUrl: string, tokenFile: string): void;
  /** Gives the directory up. Idempotent. */
  release(): Promise<void>;
}

export type LockResult =
  | { readonly kind: "held"; readonly lock: HeldLock }
  | { readonly kind: "taken"; readonly owner: LockOwner };

/** Longest path of a unix socket on every system we run on; macOS has the smallest limit, 104 bytes with the final 0. */
const SOCKET_PATH_MAX = 100;
const ANSWER_TIMEOUT_MS = 1_000;
const TAKEOVER_TRIES = 20;

const lockPath = (dataDir: string) => join(dataDir, "lock");

async function bootId(): Promise<string> {
  return readFile("/proc/sys/kernel/random/boot_id", "utf8").then(
    (text) => text.trim(),
    () => "unknown",
  );
}

/** A socket path for this owner: inside the data directory, or under the temporary directory when that is too long. */
async function socketPath(dataDir: string, nonce: string): Promise<string> {
  const inside = join(resolve(dataDir), `owner-${nonce.slice(0, 8)}.sock`);
  if (Buffer.byteLength(inside) <= SOCKET_PATH_MAX) return inside;
  const digest = createHash("sha256").update(resolve(dataDir)).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), `sluice-${digest}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return join(folder, `${nonce.slice(0, 8)}.sock`);
}

async function readLock(dataDir: string): Promise<LockFile | null> {
  try {
    return JSON.parse(await readFile(lockPath(dataDir), "utf8")) as LockFile;
  } catch {
    return null; // No lock, or the torn one of a writer that died: either way nobody answers for it.
  }
}

/** Asks the owner of a lock; null when nobody answers with its nonce within a second. */
async function ask(lock: LockFile): Promise<LockOwner | null> {
  return new Promise((done) => {
    const socket = connect(lock.socket);
    let text = "";
    const finish = (owner: LockOwner | null) => {
      clearTimeout(timer);
      socket.destroy();
      done(owner);
    };
    const timer = setTimeout(() => finish(null), ANSWER_TIMEOUT_MS);
    socket.on("error", () => finish(null));
    socket.on("data", (chunk) => {
      text += String(chunk);
      if (!text.includes("\n")) return;
      const answer = JSON.parse(text.slice(0, text.indexOf("\n"))) as OwnerAnswer;
      finish(
        answer.nonce === lock.nonce ? { pid: answer.pid, apiUrl: answer.api_url, tokenFile: answer.token_file } : null,
      );
    });
    socket.on("close", () => finish(null));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(path, () => done());
  });
}

/**
 * Makes the lock file ours when nobody alive owns it. A fully written file is linked into place, which fails when a lock
 * exists; a stale one is first renamed away, which only one of several racers can do.
 */
async function claim(dataDir: string, mine: LockFile): Promise<LockOwner | null> {
  const path = lockPath(dataDir);
  const draft = join(dataDir, `lock.${mine.nonce}`);
  await writeFile(draft, JSON.stringify(mine), { flag: "wx", mode: 0o600 });
  try {
    for (let attempt = 0; attempt < TAKEOVER_TRIES; attempt++) {
      const isOurs = await link(draft, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === "EEXIST") return false;
          throw error;
        },
      );
      if (isOurs) return null;
      const found = await readLock(dataDir);
      const owner = found === null ? null : await ask(found);
      if (owner !== null) return owner;
      const still = await readLock(dataDir);
      if (found?.nonce !== still?.nonce) continue; // Somebody was faster; look again at what is there now.
      const stale = join(dataDir, `lock.stale.${found?.nonce ?? "torn"}`);
      await rename(path, stale).catch(() => {}); // A racer that renames first leaves us nothing to rename.
      await rm(stale, { force: true });
      if (found !== null) await rm(found.socket, { force: true });
    }
    throw new Error(`the lock ${path} changed ${TAKEOVER_TRIES} times while it was being taken; try again`);
  } finally {
    await rm(draft, { force: true });
  }
}

async function openDirectory(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { isDirectory } = await stat(dataDir).then((found) => ({ isDirectory: found.isDirectory() }));
  if (!isDirectory) throw new Error(`${dataDir} is not a directory; name another data directory`);
}

/** Takes a data directory for this process, or says who has it. The directory is made when it is not there. */
export async function lockDataDirectory(dataDir: string): Promise<LockResult> {
  await openDirectory(dataDir);
  const nonce = randomBytes(16).toString("hex");
  const mine: LockFile = { pid: process.pid, boot_id: await bootId(), nonce, socket: await socketPath(dataDir, nonce) };
  let answer: OwnerAnswer = { nonce, pid: process.pid, api_url: null, token_file: null };
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(`${JSON.stringify(answer)}\n`);
  });
  await listen(server, mine.socket);
  const owner = await claim(dataDir, mine).catch(async (error: unknown) => {
    await new Promise((done) => server.close(done));
    throw error;
  });
  if (owner !== null) {
    await new Promise((done) => server.close(done));
    return { kind: "taken", owner };
  }
  let released: Promise<void> | null = null;
  const release = async (): Promise<void> => {
    if ((await readLock(dataDir))?.nonce === nonce) await rm(lockPath(dataDir), { force: true });
    await new Promise((done) => server.close(done));
  };
  return {
    kind: "held",
    lock: {
      announce(apiUrl, tokenFile) {
        answer = { ...answer, api_url: apiUrl, token_file: tokenFile };
      },
      release() {
        released ??= release();
        return released;
      },
    },
  };
}

/** The controller that owns a data directory now; null when none answers or it is still starting. */
export async function findController(
  dataDir: string,
): Promise<{ readonly apiUrl: string; readonly tokenFile: string; readonly pid: number } | null> {
  const lock = await readLock(dataDir);
  const owner = lock === null ? null : await ask(lock);
  if (owner?.apiUrl == null || owner.tokenFile === null) return null;
  return { apiUrl: owner.apiUrl, tokenFile: owner.tokenFile, pid: owner.pid };
}
