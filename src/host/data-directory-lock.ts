import { createHash, randomBytes } from "node:crypto";
import { chmod, link, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { makeFolder } from "./make-folder.ts";

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
}

interface LockOwner {
  readonly pid: number;
  readonly apiUrl: string | null;
}

export interface HeldLock {
  /** Tells the command line where the API is, from now on. */
  announce(apiUrl: string): void;
  /** Gives the directory up. Idempotent. */
  release(): Promise<void>;
}

export type LockResult =
  | { readonly kind: "held"; readonly lock: HeldLock }
  | { readonly kind: "taken"; readonly owner: LockOwner };

/**
 * Longest path of a unix socket on every system we run on; macOS has the smallest limit, 104 bytes with the final 0.
 */
const SOCKET_PATH_MAX = 100;
const ANSWER_TIMEOUT_MS = 1_000;
const CLAIM_TRIES = 20;

/** Errors that prove that no process listens on a socket any more. Any other outcome may be a busy owner. */
const NOBODY_LISTENS: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "ENOTSOCK"]);

const lockPath = (dataDir: string, number: number) => join(dataDir, `lock.${number}`);

/** Numbers of the locks ever taken that still lie there, highest first. */
async function lockNumbers(dataDir: string): Promise<readonly number[]> {
  const names = await readdir(dataDir).catch(() => []);
  const numbers = names.flatMap((name) => /^lock\.(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => b - a);
}

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

async function readLock(dataDir: string, number: number): Promise<LockFile | null> {
  try {
    return JSON.parse(await readFile(lockPath(dataDir, number), "utf8")) as LockFile;
  } catch {
    return null; // Gone meanwhile, or torn by a power failure: either way nobody answers for it.
  }
}

/**
 * Asks the owner of a lock; null when nobody listens any more. The kernel accepts connections for a process too busy to
 * answer (a database being made blocks it for seconds), so silence is an owner whose address is not known yet.
 */
async function ask(lock: LockFile): Promise<LockOwner | null> {
  return new Promise((done) => {
    const socket = connect(lock.socket);
    let text = "";
    const finish = (owner: LockOwner | null) => {
      clearTimeout(timer);
      socket.destroy();
      done(owner);
    };
    const silent: LockOwner = { pid: lock.pid, apiUrl: null };
    const timer = setTimeout(() => finish(silent), ANSWER_TIMEOUT_MS);
    socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => finish(NOBODY_LISTENS.has(code) ? null : silent));
    socket.on("data", (chunk) => {
      text += String(chunk);
      if (!text.includes("\n")) return;
      const answer = JSON.parse(text.slice(0, text.indexOf("\n"))) as OwnerAnswer;
      finish(answer.nonce === lock.nonce ? { pid: answer.pid, apiUrl: answer.api_url } : null);
    });
    socket.on("close", () => finish(null)); // It hung up without a word: it ended while we asked.
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(path, () => done());
  });
}

/**
 * Takes the next lock number when nobody alive holds the highest one. Locks are numbered because a file can be created
 * by one racer only, while a stale file can be replaced under the feet of whoever replaced it a moment before. A file
 * is removed only while a higher one exists, so the highest number never falls, and only its maker owns the directory.
 */
async function claim(dataDir: string, mine: LockFile): Promise<LockOwner | null> {
  const draft = join(dataDir, `draft.${mine.nonce}`);
  await writeFile(draft, JSON.stringify(mine), { flag: "wx", mode: 0o600 });
  try {
    for (let attempt = 0; attempt < CLAIM_TRIES; attempt++) {
      const [highest = 0] = await lockNumbers(dataDir);
      const found = await readLock(dataDir, highest);
      const owner = found === null ? null : await ask(found);
      if (owner !== null) return owner;
      const number = highest + 1;
      if (!(await linked(draft, lockPath(dataDir, number)))) continue; // Somebody was faster; look who.
      const [first, ...lower] = await lockNumbers(dataDir);
      if (first === number) {
        for (const stale of lower) await removeStale(dataDir, stale);
        return null;
      }
      await rm(lockPath(dataDir, number), { force: true }); // What we had seen was older still.
    }
    throw new Error(`the lock of ${dataDir} changed ${CLAIM_TRIES} times while it was being taken; try again`);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Puts a fully written file in place; false when one is there already. */
async function linked(draft: string, path: string): Promise<boolean> {
  return link(draft, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

async function removeStale(dataDir: string, number: number): Promise<void> {
  const stale = await readLock(dataDir, number);
  await rm(lockPath(dataDir, number), { force: true });
  if (stale !== null) await rm(stale.socket, { force: true });
}

async function openDirectory(dataDir: string): Promise<void> {
  await makeFolder(dataDir);
  const { isDirectory } = await stat(dataDir).then((found) => ({ isDirectory: found.isDirectory() }));
  if (!isDirectory) throw new Error(`${dataDir} is not a directory; name another data directory`);
}

/** Takes a data directory for this process, or says who has it. The directory is made when it is not there. */
export async function lockDataDirectory(dataDir: string): Promise<LockResult> {
  await openDirectory(dataDir);
  const nonce = randomBytes(16).toString("hex");
  const mine: LockFile = { pid: process.pid, boot_id: await bootId(), nonce, socket: await socketPath(dataDir, nonce) };
  let answer: OwnerAnswer = { nonce, pid: process.pid, api_url: null };
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(`${JSON.stringify(answer)}\n`, () => socket.destroy()); // A reader that stays must not delay our end.
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
    await new Promise((done) => server.close(done)); // The file stays: without a listener it is stale.
  };
  return {
    kind: "held",
    lock: {
      announce(apiUrl) {
        answer = { ...answer, api_url: apiUrl };
      },
      release() {
        released ??= release();
        return released;
      },
    },
  };
}

/** The process that owns a data directory now, also one that is starting or says nothing; null when nobody does. */
export async function findOwner(dataDir: string): Promise<LockOwner | null> {
  const [highest = 0] = await lockNumbers(dataDir);
  const lock = await readLock(dataDir, highest);
  return lock === null ? null : ask(lock);
}

/** The controller that owns a data directory now; null when none answers or it is still starting. */
export async function findController(
  dataDir: string,
): Promise<{ readonly apiUrl: string; readonly pid: number } | null> {
  const owner = await findOwner(dataDir);
  return owner?.apiUrl == null ? null : { apiUrl: owner.apiUrl, pid: owner.pid };
}
