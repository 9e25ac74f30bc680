import type { AddressInfo, Socket } from "node:net";
import type { Server } from "node:http";
import { join } from "node:path";
import pg from "pg";
import { chunkSchema } from "./chunker.ts";
import { loadCorpus } from "../probe/corpus-file.ts";
import { dropSections } from "./corpus-faults.ts";
import { type LabEngine, labEngine } from "./engine.ts";
import { type FaultSet, parseFaults } from "./faults.ts";
import { readIndexFile, writeIndexFile } from "./index-file.ts";
import { buildIndex, type IndexPlan, type LabIndex, labSpec, planIndex } from "./lab-index.ts";
import { LabError } from "./lab-error.ts";
import { labManifest } from "./release.ts";
import { requestDraws } from "./request-draw.ts";
import type { Section } from "../probe/markdown.ts";
import { sharedEngine } from "./store/shared-engine.ts";
import { readTableIndex } from "./store/table-index.ts";
import { ANSWER_PATH, HEALTH_PATH, labServer } from "./service.ts";

export interface LabOptions {
  /** Folder of Markdown or text, one such file, or a .jsonl file. */
  readonly corpus: string;
  /** Name of the index; letters, digits, `.`, `_`, `-`. */
  readonly index: string;
  /** Words in a chunk; 80. */
  readonly chunkWords?: number | undefined;
  /** `NAME` or `NAME=x`. */
  readonly faults?: readonly string[] | undefined;
  /** Port on 127.0.0.1; a free one. */
  readonly port?: number | undefined;
  /**
   * Folder for `<index>.index`, which is used again while its INDEX_HASH matches; without it the index is in memory.
   */
  readonly data?: string | undefined;
  readonly seed?: number | undefined;
  /** Part of PROMPT_VER; gives two otherwise equal services different release ids. */
  readonly release?: string | undefined;
  /** Median of the model time in milliseconds; 60. */
  readonly modelMs?: number | undefined;
  /**
   * Index and cache are kept in PostgreSQL: `index` is a table there, and users are answered through the public name.
   * The index is read and not built then, and `corpus`, `chunkWords` and `data` are not looked at.
   */
  readonly store?: { readonly url: string; readonly alias: string } | undefined;
}

/** A running service. */
export interface LabService {
  /** Where questions are posted. */
  readonly url: string;
  readonly health: string;
  readonly releaseId: string;
  readonly indexHash: string;
  readonly sections: number;
  readonly chunks: number;
  /** Stops accepting, lets running answers finish for at most 10 s, then cuts them. Idempotent. */
  close(): Promise<void>;
}

const MODEL_SIGMA = 0.4;
const STORE_CONNECTIONS = 8;
const CLOSE_GRACE_MS = 10_000;

function checkNumber(name: string, value: number, low: number, high: number): void {
  if (Number.isFinite(value) && value >= low && value <= high) return;
  throw new LabError("usage", `${name} is ${value}; expected a number ${low}..${high}`);
}

function checkInteger(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value)) throw new LabError("usage", `${name} is ${value}; expected an integer ${low}..${high}`);
  checkNumber(name, value, low, high);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(new LabError("usage", `cannot listen on 127.0.0.1:${port} (${cause.code}); choose a free --port`, cause));
    });
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** Node counts a connection that never sent a byte as active; gateways keep such connections open in advance. */
function silentSockets(server: Server): () => readonly Socket[] {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return () => [...open].filter(({ bytesRead }) => bytesRead === 0);
}

function stopper(server: Server): () => Promise<void> {
  const silent = silentSockets(server);
  let stopped: Promise<void> | null = null;
  return () => {
    stopped ??= new Promise((resolve) => {
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      server.closeIdleConnections();
      for (const socket of silent()) socket.destroy();
    });
    return stopped;
  };
}

async function openIndex(plan: IndexPlan, data: string | undefined): Promise<LabIndex> {
  const build = (): LabIndex => buildIndex(plan, new Date().toISOString());
  if (data === undefined) return build();
  const path = join(data, `${plan.name}.index`);
  const stored = await readIndexFile(path);
  if (stored?.manifest.INDEX_HASH === plan.INDEX_HASH) return stored;
  await writeIndexFile(path, build());
  const written = await readIndexFile(path); // What is served is what the store says, not what we meant to write.
  if (written?.manifest.INDEX_HASH === plan.INDEX_HASH) return written;
  const found = written?.manifest.INDEX_HASH ?? "no index";
  throw new LabError(
    "index",
    `${path} holds ${found} right after ${plan.INDEX_HASH} was written; use one name per index`,
  );
}

async function load(options: LabOptions, faults: FaultSet, seed: number): Promise<LabEngine> {
  const whole = await loadCorpus(options.corpus);
  const sections = dropSections(whole, faults.get("dropped-sections") ?? 0, seed);
  const plan = planIndex(sections, {
    name: options.index,
    metric: faults.has("wrong-metric") ? "l2" : "cosine",
    chunk: chunkSchema(faults.get("tiny-chunks") ?? options.chunkWords),
  });
  const index = await openIndex(plan, options.data);
  return labEngine(index, labManifest(index.manifest, options.release ?? "1", faults), sections, faults, seed);
}

/** A release on a shared store, and what ends its connections. */
async function loadShared(
  options: LabOptions,
  { url, alias }: { readonly url: string; readonly alias: string },
  faults: FaultSet,
  seed: number,
): Promise<{ readonly engine: LabEngine; close(): Promise<void> }> {
  const client = new pg.Pool({ connectionString: url, max: STORE_CONNECTIONS }).on("error", () => {});
  const spec = labSpec(faults.has("wrong-metric") ? "l2" : "cosine", chunkSchema(options.chunkWords));
  const read = async (name: string): Promise<LabEngine> => {
    const index = await readTableIndex(client, name, spec);
    return labEngine(
      index,
      labManifest(index.manifest, options.release ?? "1", faults),
      sectionsOf(index),
      faults,
      seed,
    );
  };
  try {
    const engine = sharedEngine(await read(options.index), { client, alias, load: read });
    return { engine, close: () => client.end() };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** Sections as far as an index tells of them: each with the text of its first chunk. */
function sectionsOf({ chunks }: LabIndex): readonly Section[] {
  return [...new Map(chunks.map(({ doc, section, text }) => [section, { doc, section, text }])).values()];
}

/**
 * Starts a laboratory service on 127.0.0.1 and resolves when it is ready. It listens from the beginning: its health
 * endpoint answers 503 until the index is loaded and checked.
 * @throws LabError `usage`, `corpus` or `index`, InputError `corpus`; nothing is left running then
 */
export async function serveLab(options: LabOptions): Promise<LabService> {
  const { seed = 1, port = 0, modelMs = 60 } = options;
  const faults = parseFaults(options.faults ?? []);
  if (!/^[\w.-]+$/.test(options.index)) {
    throw new LabError(
      "usage",
      `index name "${options.index}" is not letters, digits, ".", "_" and "-"; choose another`,
    );
  }
  checkInteger("port", port, 0, 65_535);
  checkInteger("seed", seed, 0, 2 ** 32 - 1);
  checkInteger("chunk", options.chunkWords ?? 80, 1, 10_000);
  checkNumber("model-ms", modelMs, 0, 60_000);
  const state: { engine: LabEngine | null } = { engine: null };
  const draw = requestDraws(seed, faults, { medianMs: modelMs, sigma: MODEL_SIGMA });
  const server = labServer({ engine: () => state.engine, draw });
  const close = stopper(server);
  const origin = `http://127.0.0.1:${await listen(server, port)}`;
  try {
    const { store } = options;
    const { engine, close: closeStore } =
      store === undefined
        ? { engine: await load(options, faults, seed), close: async () => {} }
        : await loadShared(options, store, faults, seed);
    state.engine = engine;
    const { manifest, sections, chunks } = engine;
    const [url, health] = [origin + ANSWER_PATH, origin + HEALTH_PATH];
    let closed: Promise<void> | null = null;
    const closeAll = () => (closed ??= close().then(closeStore));
    return {
      url,
      health,
      releaseId: manifest.release_id,
      indexHash: manifest.INDEX_HASH,
      sections,
      chunks,
      close: closeAll,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where termination signals come from and the process ends; `process` has both. */
export interface ProcessEnd {
  once(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): void;
}

/** Ends the process in order at SIGTERM (exit 0) or SIGINT (exit 130): running answers finish first. */
export function closeOnSignals(service: Pick<LabService, "close">, end: ProcessEnd): void {
  for (const [signal, code] of [
    ["SIGTERM", 0],
    ["SIGINT", 130],
  ] as const) {
    end.once(signal, () => {
      void service.close().then(() => end.exit(code));
    });
  }
}
