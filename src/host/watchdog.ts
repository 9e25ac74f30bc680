import { Worker } from "node:worker_threads";

const BEAT_MS = 500;

/**
 * The watching thread. It counts its own looks, not time: a machine that slept makes both threads late, not one. It
 * ends the process with a signal because a thread can do no more while the main one never returns.
 */
const WATCH = `
const { writeSync } = require("node:fs");
const { workerData } = require("node:worker_threads");
const beats = new Int32Array(workerData.beats);
let [last, misses] = [-1, 0];
setInterval(() => {
  const now = Atomics.load(beats, 0);
  misses = now === last ? misses + 1 : 0;
  last = now;
  if (misses < workerData.missesMax) return;
  writeSync(2, workerData.message + "\\n");
  process.kill(process.pid, "SIGKILL");
}, workerData.beatMs);
`;

/**
 * Ends this process when its event loop stands still for `stallMs`. The database in it spins without end when its log
 * cannot be written; a controller that hangs holds its data directory, one that ended is started again.
 * @returns the way to stop watching
 */
export function watchEventLoop(stallMs: number, message: string): () => Promise<void> {
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const beats = new Int32Array(shared);
  const timer = setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS);
  timer.unref();
  const missesMax = Math.ceil(stallMs / BEAT_MS);
  const worker = new Worker(WATCH, { eval: true, workerData: { beats: shared, missesMax, message, beatMs: BEAT_MS } });
  worker.unref();
  return async () => {
    clearInterval(timer);
    await worker.terminate();
  };
}
