import { randomStream } from "../../src/core/stats/random.ts";

/** What a recorded service did, from a seed: the first 5xx and slow answers come at `harmFromS`. */
export interface TraceShape {
  readonly seconds: number;
  readonly perSecond?: number;
  /** Part of the buckets that is on the candidate. */
  readonly share?: number;
  readonly harmFromS?: number;
  /** Failures of the candidate after the step, beside the 1 % both arms have. */
  readonly errors?: number;
  /** Latency factor of the candidate after the step. */
  readonly slow?: number;
  /** Share of the candidate's answers after the step that end in a class stable does not have. */
  readonly cutBodies?: number;
  readonly seed?: number;
}

export type TraceEvent = Readonly<Record<string, unknown>> & { readonly ts: number };

export const START_MS = Date.parse("2025-08-28T04:00:00Z");

/** Wide events of both arms in order of their time, at even distances. */
export function traceEvents(shape: TraceShape): TraceEvent[] {
  const { seconds, perSecond = 200, share = 0.5, harmFromS = 0, seed = 7 } = shape;
  const { errors = 0, slow = 1, cutBodies = 0 } = shape;
  const random = randomStream(seed);
  return Array.from({ length: seconds * perSecond }, (_, i) => {
    const atS = i / perSecond;
    const bucket = Math.floor(random() * 10_000);
    const isCandidate = bucket < share * 10_000;
    const isHarmed = isCandidate && atS >= harmFromS;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const status = random() < 0.01 + (isHarmed ? errors : 0) ? 503 : 200;
    const isCut = random() < (isHarmed ? cutBodies : 0);
    return {
      ts: START_MS + Math.floor(atS * 1_000),
      arm: isCandidate ? "candidate" : "stable",
      sticky: `h${bucket}`,
      cold_start: false,
      status,
      ...(isCut ? { error_class: { stage: "body", family: "network", code: "ECONNRESET" } } : {}),
      latency_ms: { tfinal: 400 * Math.exp(0.4 * normal) * (isHarmed ? slow : 1) },
      retrieval: { metric: "cosine", analyzer: "standard", index_hash: isCandidate ? "0xb" : "0xa" },
    };
  });
}

export function ndjson(events: readonly unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}
