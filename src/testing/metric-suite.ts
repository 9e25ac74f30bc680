import { assert } from "../core/assert.ts";
import type { EpochMs } from "../core/unit.ts";
import { DriverError } from "../ports/driver-error.ts";
import type { MetricReading, MetricSource } from "../ports/metric-source.ts";

/** What a metric server is told to hold, or to do, for one query. */
export type MetricState =
  /** One finite number, sampled `ageMs` before now; negative ages lie ahead. */
  | { readonly kind: "number"; readonly value: number; readonly ageMs: number }
  /** It knows the question and has nothing under it; it holds NaN or its own like; it holds two numbers. */
  | { readonly kind: "missing" | "not-a-number" | "two" }
  /** It refuses: the question, the credentials, any work just now; or sends the asker to another address. */
  | { readonly kind: "refuses-query" | "denies" | "is-busy" | "redirects" }
  /** It never answers; it answers without end; it closes the connection; it answers with a page for people. */
  | { readonly kind: "is-silent" | "never-ends" | "hangs-up" | "shows-a-page" };

/** What a metric source brings to its conformance run: itself, and a server that can be told what to hold. */
export interface MetricWorld {
  readonly source: MetricSource;
  /** The server's clock. */
  now(): EpochMs;
  /** Makes the server hold a state and returns the query for it. Resolves when a reading would see it. */
  hold(state: MetricState): Promise<string>;
  /** A text that no reading and no error may ever carry; null when the source was given no secret. */
  readonly secret: string | null;
}

export interface MetricCase {
  readonly name: string;
  run(world: MetricWorld): Promise<void>;
}

const MAX_AGE_MS = 60_000;
const CLOCK_SKEW_MS = 5_000;
const TEXT_CHARS_MAX = 1_000;

function checkText(text: string, { secret }: MetricWorld): void {
  assert(text.trim() !== "" && text.length <= TEXT_CHARS_MAX, `a reason of ${text.length} characters: ${text}`);
  assert(secret === null || !text.includes(secret), "a reason carries the secret");
}

async function read(world: MetricWorld, state: MetricState, maxAgeMs = MAX_AGE_MS): Promise<MetricReading> {
  const query = await world.hold(state);
  const reading = await world.source.read({ query, maxAgeMs }, world.now());
  if (reading.kind === "value") assert(Number.isFinite(reading.value), `a value of ${reading.value}`);
  else checkText(reading.reason, world);
  return reading;
}

async function expectKind(world: MetricWorld, state: MetricState, ...kinds: MetricReading["kind"][]): Promise<string> {
  const reading = await read(world, state);
  const found = JSON.stringify(reading);
  assert(kinds.includes(reading.kind), `read ${found} of ${JSON.stringify(state)}, expected ${kinds.join(" or ")}`);
  return reading.kind === "value" ? "" : reading.reason;
}

async function expectThrown(world: MetricWorld, kind: MetricState["kind"], expected: string): Promise<void> {
  const found = await read(world, { kind } as MetricState).then(
    (reading) => JSON.stringify(reading),
    (error: unknown) => {
      if (!(error instanceof DriverError)) return String(error);
      checkText(`${error.message} ${error.cause}`, world);
      return `${error.code} ${error.retry}`;
    },
  );
  assert(found === expected, `a server that ${kind} gave ${found}, expected ${expected}`);
}

/** Readings of a server that answers. */
const readingCases: readonly MetricCase[] = [
  {
    name: "reads the number, and a time between its sample's age limit and now",
    async run(world) {
      const reading = await read(world, { kind: "number", value: 0.25, ageMs: 1_000 });
      assert(reading.kind === "value" && reading.value === 0.25, `read ${JSON.stringify(reading)}, expected 0.25`);
      const ageMs = world.now() - reading.atEpochMs;
      assert(ageMs <= MAX_AGE_MS && ageMs >= -CLOCK_SKEW_MS, `the number is said to be ${ageMs} ms old`);
    },
  },
  {
    name: "takes 0, a negative number and a tiny one for the numbers they are",
    async run(world) {
      for (const value of [0, -2.5, 1e-9]) {
        const reading = await read(world, { kind: "number", value, ageMs: 0 });
        assert(reading.kind === "value" && reading.value === value, `read ${JSON.stringify(reading)} of ${value}`);
      }
    },
  },
  {
    name: "has no data where there is no number",
    run: async (world) => void (await expectKind(world, { kind: "missing" }, "no-data")),
  },
  {
    name: "calls what is no finite number an error",
    run: async (world) => void (await expectKind(world, { kind: "not-a-number" }, "error")),
  },
  {
    name: "calls two numbers an error that says how many, and never takes the first",
    async run(world) {
      const reason = await expectKind(world, { kind: "two" }, "error");
      assert(reason.includes("2"), `the reason does not count: ${reason}`);
    },
  },
  {
    name: "has no data when the sample is older than the order allows, and reads the same sample when it is not",
    async run(world) {
      const state = { kind: "number", value: 5, ageMs: 30_000 } as const;
      const [old, fresh] = [await read(world, state, 10_000), await read(world, state, 60_000)];
      assert(old.kind === "no-data" && fresh.kind === "value", `read ${old.kind} at 10 s and ${fresh.kind} at 60 s`);
    },
  },
  {
    name: "never makes a value of a sample an hour ahead",
    run: async (world) =>
      void (await expectKind(world, { kind: "number", value: 5, ageMs: -3_600_000 }, "no-data", "error")),
  },
  {
    name: "reads again and again without changing what it reads",
    async run(world) {
      const query = await world.hold({ kind: "number", value: 7, ageMs: 0 });
      for (let time = 0; time < 3; time++) {
        const reading = await world.source.read({ query, maxAgeMs: MAX_AGE_MS }, world.now());
        assert(reading.kind === "value" && reading.value === 7, `reading ${time} was ${JSON.stringify(reading)}`);
      }
    },
  },
];

/** Conversations that fail. */
const conversationCases: readonly MetricCase[] = [
  {
    name: "calls a refused query rejected: asking again never helps",
    run: (world) => expectThrown(world, "refuses-query", "rejected never"),
  },
  {
    name: "calls refused credentials unauthorized and keeps them out of every text",
    run: (world) => expectThrown(world, "denies", "unauthorized never"),
  },
  {
    name: "calls an overloaded server unreachable: asking again is safe",
    run: (world) => expectThrown(world, "is-busy", "unreachable safe"),
  },
  {
    name: "calls a connection that is closed unreachable: asking again is safe",
    run: (world) => expectThrown(world, "hangs-up", "unreachable safe"),
  },
  {
    name: "gives up on a silent server with timeout: asking again is safe",
    run: (world) => expectThrown(world, "is-silent", "timeout safe"),
  },
  {
    name: "follows no redirect, not even to an address that has the number",
    run: (world) => expectThrown(world, "redirects", "rejected never"),
  },
  {
    name: "stops reading an answer that never ends",
    run: (world) => expectThrown(world, "never-ends", "rejected never"),
  },
  {
    name: "calls a page for people an error, though it came with status 200",
    run: async (world) => void (await expectKind(world, { kind: "shows-a-page" }, "error")),
  },
];

/** What every metric source must do: nothing but one fresh, finite number is a value. Data without a test runner. */
export const metricSuite: readonly MetricCase[] = [...readingCases, ...conversationCases];

/** Registers the suite with a test runner. A waiver names its case and gives the reason; a stale waiver fails. */
export function metricConformance(
  open: () => MetricWorld,
  it: (name: string, run: () => Promise<void>) => void,
  waived: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(waived))
    assert(
      metricSuite.some((one) => one.name === name),
      `stale waiver: ${name}`,
    );
  for (const one of metricSuite) if (!(one.name in waived)) it(one.name, () => one.run(open()));
}
