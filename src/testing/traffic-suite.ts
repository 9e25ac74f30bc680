import { assert } from "../core/assert.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { bp, epochMs } from "../core/unit.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { ServedSplit, TrafficDriver } from "../ports/traffic.ts";

/** What a traffic driver brings to its conformance run: itself, and a data plane that is up and can be told to act. */
export interface TrafficWorld {
  readonly driver: TrafficDriver;
  /** Unknown to the data plane so far; unique for each run. */
  readonly service: string;
  /** Lets the data plane take in what it was told. */
  settle(): Promise<void>;
}

export interface TrafficCase {
  readonly name: string;
  run(world: TrafficWorld, signal: AbortSignal): Promise<void>;
}

/** A routing document of the world's service. */
function document(service: string, epoch: number, seq: number, candidateBp: number): RoutingDocument {
  const target = (name: string) => ({
    releaseId: name,
    endpoints: [`http://127.0.0.1:9/${name}`],
    cachePrefix: `${name}:`,
  });
  return {
    version: 1,
    service,
    epoch,
    seq,
    rolloutId: "suite-1",
    arms: { stable: target("r1"), candidate: target("r2") },
    candidateBp: bp(candidateBp),
    sticky: { hash: "v1", seed: 1, ttlMs: 60_000 },
    identity: { trustedHeaders: ["x-user-id"], stickyBy: ["x-user-id"] },
    allow: [],
    closed: [],
    drainMs: 1_000,
    issuedAt: epochMs(1_800_000_000_000),
  };
}

function expectServed(found: ServedSplit | "unknown", epoch: number, seq: number, candidateBp: number | null): void {
  const isServed = found !== "unknown" && found.epoch === epoch && found.seq === seq;
  const isShare = isServed && found.candidateBp === candidateBp;
  assert(isShare, `serves ${JSON.stringify(found)}, expected ${epoch}.${seq} with ${candidateBp}`);
}

/** What every traffic driver with `readBack` must do. Data without a test runner. */
export const trafficSuite: readonly TrafficCase[] = [
  {
    name: "has nothing missing while its data plane is up",
    async run({ driver, service }, signal) {
      const missing = await driver.check(service, signal);
      assert(missing === null, `check says ${missing}`);
    },
  },
  {
    name: "knows nothing of a service before its first document",
    async run({ driver, service }, signal) {
      const served = await driver.read(service, signal);
      assert(served === "unknown", `serves ${JSON.stringify(served)}`);
    },
  },
  {
    name: "I3: serves every share exactly as ordered once the data plane took it in",
    async run({ driver, service, settle }, signal) {
      for (const [index, share] of [0, 1, 39, 2_500, 9_999, 10_000].entries()) {
        await driver.apply(document(service, 1, index + 1, share), signal);
        await settle();
        expectServed(await driver.read(service, signal), 1, index + 1, share);
      }
    },
  },
  {
    name: "takes the same document again without a change",
    async run({ driver, service, settle }, signal) {
      for (let time = 0; time < 3; time++) await driver.apply(document(service, 1, 1, 500), signal);
      await settle();
      expectServed(await driver.read(service, signal), 1, 1, 500);
    },
  },
  {
    name: "I8, S14: refuses a document older than the newest it accepted with stale-token, by epoch before seq",
    async run({ driver, service, settle }, signal) {
      await driver.apply(document(service, 2, 1, 0), signal);
      for (const [epoch, seq] of [
        [1, 9],
        [2, 0],
      ] as const) {
        const late = await driver.apply(document(service, epoch, seq, 9_000), signal).then(
          () => "applied",
          (error: unknown) => (error instanceof DriverError ? `${error.code} ${error.retry}` : String(error)),
        );
        assert(late === "stale-token never", `document ${epoch}.${seq} after 2.1 was ${late}`);
      }
      await settle();
      expectServed(await driver.read(service, signal), 2, 1, 0);
    },
  },
  {
    name: "follows a new epoch whose seq begins again",
    async run({ driver, service, settle }, signal) {
      await driver.apply(document(service, 1, 7, 5_000), signal);
      await settle();
      await driver.apply(document(service, 2, 1, 0), signal);
      await settle();
      expectServed(await driver.read(service, signal), 2, 1, 0);
    },
  },
  {
    name: "keeps services apart",
    async run({ driver, service, settle }, signal) {
      await driver.apply(document(service, 5, 1, 700), signal);
      await driver.apply(document(`${service}-other`, 1, 1, 10_000), signal);
      await settle();
      expectServed(await driver.read(service, signal), 5, 1, 700);
    },
  },
  {
    name: "releases twice as once and then knows nothing of the service",
    async run({ driver, service, settle }, signal) {
      await driver.apply(document(service, 1, 1, 500), signal);
      await settle();
      await driver.release(service, signal);
      await driver.release(service, signal);
      const served = await driver.read(service, signal);
      assert(served === "unknown", `serves ${JSON.stringify(served)} after the release`);
    },
  },
];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function trafficConformance(
  open: () => TrafficWorld,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      trafficSuite.some((one) => one.name === name),
      `stale waiver: ${name}`,
    );
  for (const one of trafficSuite) {
    if (!(one.name in waived)) it(one.name, () => one.run(open(), AbortSignal.timeout(5_000)));
  }
}
