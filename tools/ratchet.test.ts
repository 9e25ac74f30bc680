import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, ROOT, type SourceFile } from "./source-files.ts";

/**
 * Rules that the sources do not keep everywhere yet. Each list names what still breaks one and may only shrink: a new
 * breach fails. Whoever mends one takes it off the list.
 */

const sources = filesUnder(["src"], [".ts"]);
const code = sources.filter(({ path }) => !path.endsWith(".test.ts"));

/** How often each file breaks a rule; files that keep it are left out. */
function breaches(files: readonly SourceFile[], count: (text: string) => number): Readonly<Record<string, number>> {
  const counted = files.map(({ path, text }) => [path, count(text)] as const);
  return Object.fromEntries(counted.filter(([, times]) => times > 0));
}

const stripComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:])\/\/.*$/gm, "$1");

/** Timers, wall clocks and randomness of the machine: they come in by the ports Clock and Random. */
const AMBIENT =
  /\bset(Timeout|Interval|Immediate)\(|AbortSignal\.timeout\(|\brandom(Bytes|UUID)\(|\bMath\.random\(|\bDate\.now\(|\bperformance\.now\(|\bgetRandomValues\(/g;

/** The host makes the ports, the gateway guards its sockets, the laboratory stands for a foreign service. */
const MAY_BE_AMBIENT = new Set(["gateway", "host", "lab"]);

const STILL_AMBIENT: Readonly<Record<string, number>> = {
  // The default clock and randomness of a fence that is given none.
  "src/fence/system.ts": 6,
  // Its deadlines guard a socket.
  "src/drivers/webhook/node/driver.ts": 2,
  // Still to be given a clock.
  "src/drivers/batch.ts": 2,
  "src/drivers/fence/durable-object/object.ts": 1,
  // One command for one person: it ends with them.
  "src/cli/commands/demo.ts": 1,
  "src/cli/commands/lab-traffic.ts": 2,
  "src/cli/commands/watch.ts": 4,
  "src/cli/controller-client.ts": 2,
  "src/cli/demo/child-process.ts": 1,
  "src/cli/demo/story.ts": 3,
  // Suites that run against real servers.
  "src/testing/fence-owner-cases.ts": 3,
  "src/testing/traffic-suite.ts": 1,
};

const LONG_FUNCTIONS: readonly string[] = [
  "src/cli/format/report-markdown.ts reportMarkdown",
  "src/cli/program/local.ts addLocal",
  "src/cli/program/remote.ts addRemote",
  "src/controller/status.ts statusWire",
  "src/core/gate/share-gate.ts shareGate",
  "src/drivers/fence/dynamodb/driver.ts dynamoFence",
  "src/drivers/fence/dynamodb/fake.ts fakeDynamo",
  "src/drivers/fence/redis/driver.ts redisFence",
  "src/drivers/outbox/postgres/statements.ts statementsFor",
  "src/fence/idempotency.ts idempotency",
  "src/fence/memory-store.ts memoryFence",
  "src/fence/webhook/memory-inbox.ts memoryWebhookInbox",
  "src/lab/traffic/tally.ts tally",
  "src/testing/fence-crash.ts runCrashMatrix",
  "src/testing/outbox-crash.ts runOutboxCrashMatrix",
];

const MAX_COLUMNS = 120;
/** Rooms whose comments keep the limit; more may come, none may go. */
const SHORT_COMMENTS = /^src\/(controller|host|core\/(evidence|observe|rehearsal|rollout|stage|trace))\//;

/** `path name` of every function of the sources with more than 60 lines, tests left out. */
function longFunctions(paths: readonly string[]): readonly string[] {
  const oxlint = join(ROOT, "node_modules", ".bin", "oxlint");
  const args = ["-c", "tools/function-length.oxlintrc.json", "--format=unix", ...paths];
  const { stdout } = spawnSync(oxlint, args, { cwd: ROOT, encoding: "utf8", timeout: 120_000 });
  const found = [...stdout.matchAll(/^(\S+?):\d+:\d+: The .*?function(?: `(\S+)`)? has too many lines/gm)];
  return found.map(([, path, name = "(nameless)"]) => `${path} ${name}`).filter((at) => !/\.test\.ts /.test(at));
}

describe("what the sources do not keep everywhere yet", () => {
  it("takes time and randomness from a port, outside host, sockets and laboratory", () => {
    const ruled = code.filter(({ path }) => !MAY_BE_AMBIENT.has(path.split("/")[1] ?? ""));
    const found = breaches(ruled, (text) => stripComments(text).match(AMBIENT)?.length ?? 0);
    const grown = Object.entries(found).filter(([path, times]) => times > (STILL_AMBIENT[path] ?? 0));
    expect(grown, "take a Clock or a Random from the caller").toEqual([]);
  });

  it("has functions of at most 60 lines", () => {
    expect(longFunctions(["src"]).filter((at) => !LONG_FUNCTIONS.includes(at))).toEqual([]);
  }, 120_000);

  it("has comments of at most 120 columns, which the formatter does not see", () => {
    const isLong = (line: string) => line.length > MAX_COLUMNS && /^\s*(\/\/|\/?\*)/.test(line);
    const rooms = sources.filter(({ path }) => SHORT_COMMENTS.test(path));
    expect(breaches(rooms, (text) => text.split("\n").filter(isLong).length)).toEqual({});
  });

  it("would notice: a timer, a nested function's length and a comment are found", () => {
    expect("await wait(); setTimeout(end, 5)".match(AMBIENT)?.length).toBe(1);
    expect(longFunctions(["test/fixtures/long-function.ts"])).toEqual(["test/fixtures/long-function.ts tooLong"]);
  }, 60_000);
});
