import { canonicalJson, type Json } from "../core/canonical-json.ts";
import type { ProbeRunStore, StoredRun } from "../ports/probe-run-store.ts";
import { sha256 } from "./digest.ts";
import { type ProbeQuestion, requestOf } from "./map.ts";
import type { ProbeTarget } from "./target.ts";

/** Version of what a stored run is; a change makes all earlier ones strangers. */
const FORMAT = "probe-run/2";

/**
 * Key of a run: a digest of every field of the request, the service's pins and the repetition, so that equal requests
 * of two repetitions stay two runs. Null when the service's pins are unknown: its answers are not reused.
 */
export function runKey(target: ProbeTarget, question: ProbeQuestion, repetition: number): string | null {
  if (target.pins === null) return null;
  const request = { ...requestOf(target.url, question, target.map) } as Json;
  const reading = (target.map?.response ?? null) as Json;
  const fields = { format: FORMAT, pins: target.pins, request, reading, k: question.k, repetition };
  return sha256(canonicalJson(fields));
}

/** Keeps runs for as long as the process lives. */
export function memoryRunStore(): ProbeRunStore {
  const runs = new Map<string, StoredRun>();
  return {
    read: (key) => Promise.resolve(runs.get(key) ?? null),
    write(key, run) {
      runs.set(key, run);
      return Promise.resolve();
    },
  };
}
