import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A person's word at a gateway: stable alone, or the document again. */
export type OverrideWord = "stable" | "follow";

/** What a running gateway tells beside its state, for whoever may read the data directory. */
interface Running {
  readonly pid: number;
  readonly url: string;
  readonly override: "stable" | null;
  /** Id of the last order it carried out, durable by then; null before the first. */
  readonly heard: string | null;
}

interface Order {
  readonly to: OverrideWord;
  readonly id: string;
}

/** The part of a gateway that takes orders. */
interface Obeying {
  readonly url: string;
  /** Resolves when the word is on disk, as far as there is a disk. */
  overrideWith(to: "stable" | null): Promise<void>;
  stats(): { readonly override: "stable" | null };
}

const LOOK_MS = 200;
/** How long an order waits to be heard; several looks of a busy gateway. */
const HEARD_WITHIN_MS = 5_000;
const ORDER_BYTES_MAX = 1_000;

const runningPath = (dataDir: string, service: string, port: string) =>
  join(dataDir, `gateway-${service}-${port}.running`);
const orderPath = (running: string) => running.replace(/\.running$/, ".order");

/**
 * Lets a person order a gateway about through its data directory, controller or not. Files, because whoever may write
 * there owns the gateway's state anyway; nobody else has a way in, and no port is opened for it.
 * @returns ends it; the gateway is not listed any more
 */
export async function takeOrders(
  gateway: Obeying,
  {
    dataDir,
    service,
    log,
  }: { readonly dataDir: string; readonly service: string; readonly log: (line: string) => void },
): Promise<() => Promise<void>> {
  const path = runningPath(dataDir, service, new URL(gateway.url).port);
  let told: string | null = null;
  let heard: string | null = null;
  const tell = async (): Promise<void> => {
    const running: Running = { pid: process.pid, url: gateway.url, override: gateway.stats().override, heard };
    const text = JSON.stringify(running);
    if (text === told) return;
    await writeWhole(path, text);
    told = text;
  };
  const look = async (): Promise<void> => {
    const order = await readOrder(orderPath(path), dataDir, log);
    if (order !== null) {
      log(order.to === "stable" ? "a person set this gateway to stable" : "a person lets this gateway follow again");
      await gateway.overrideWith(order.to === "stable" ? "stable" : null);
      heard = order.id;
    }
    await tell();
  };
  await rm(orderPath(path), { force: true }); // Said to a gateway before this one.
  await tell();
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      await look().catch((error: unknown) => log(`orders in ${dataDir} not taken: ${String(error)}`));
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
    }
  })();
  return async () => {
    isOver = true;
    await Promise.race([looking, new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS))]);
    await rm(path, { force: true });
  };
}

/** The order that lies there, which is taken away with that; null for none, or one of somebody else. */
async function readOrder(path: string, dataDir: string, log: (line: string) => void): Promise<Order | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return null;
  try {
    const [found, folder] = [await file.stat(), await stat(dataDir)];
    await rm(path, { force: true });
    if (!found.isFile() || (found.uid !== folder.uid && found.uid !== 0)) {
      log(`${path} is not by the owner of ${dataDir} (user ${folder.uid}) but by user ${found.uid}; not carried out`);
      return null;
    }
    const { bytesRead, buffer } = await file.read(Buffer.alloc(ORDER_BYTES_MAX), 0, ORDER_BYTES_MAX, 0);
    const { to, id } = JSON.parse(buffer.toString("utf8", 0, bytesRead)) as { to?: unknown; id?: unknown };
    const isOrder = (to === "stable" || to === "follow") && typeof id === "string";
    return isOrder ? { to, id } : null;
  } finally {
    await file.close();
  }
}

/** How one gateway answered an order. */
export interface Obeyed {
  readonly url: string;
  readonly pid: number;
  /** False: it did not answer in time, and the order was taken back. */
  readonly isHeard: boolean;
}

/**
 * Gives a word to every gateway of a service that runs out of this data directory, and waits until each has it on disk.
 * What a killed gateway left is removed.
 * @throws the system's error when the directory may not be written
 */
export async function orderGateways(dataDir: string, service: string, to: OverrideWord): Promise<readonly Obeyed[]> {
  const names = await readdir(dataDir);
  const start = `gateway-${service}-`;
  const own = names.filter((name) => name.startsWith(start) && /^\d+\.running$/.test(name.slice(start.length)));
  const given = await Promise.all(own.map((name) => orderOne(join(dataDir, name), to)));
  return given.filter((one) => one !== null);
}

async function orderOne(path: string, to: OverrideWord): Promise<Obeyed | null> {
  const first = await readRunning(path);
  if (first === null || !isAlive(first.pid)) {
    await rm(path, { force: true });
    return null;
  }
  const id = randomBytes(8).toString("hex");
  const order: Order = { to, id };
  await writeWhole(orderPath(path), JSON.stringify(order));
  const endMs = performance.now() + HEARD_WITHIN_MS;
  while (performance.now() < endMs) {
    if ((await readRunning(path))?.heard === id) return { url: first.url, pid: first.pid, isHeard: true };
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS / 4));
  }
  await rm(orderPath(path), { force: true });
  const isHeard = (await readRunning(path))?.heard === id;
  return { url: first.url, pid: first.pid, isHeard };
}

async function readRunning(path: string): Promise<Running | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Running;
  } catch {
    return null;
  }
}

/** Signal 0 asks without sending anything; a process of another user is alive, too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, text, { mode: 0o600, flag: "wx" });
  await rename(draft, path);
}
