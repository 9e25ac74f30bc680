// Runs cells for run.mjs, one at a time.
import { parentPort } from "node:worker_threads";
import { runCell } from "./cell.mjs";

parentPort?.on("message", (task) => parentPort?.postMessage({ task, outcomes: runCell(task) }));
