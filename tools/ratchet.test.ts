import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, ROOT, type SourceFile } from "./source-files.ts";

/**
 * Rules that the sources do not keep everywhere yet. Each list names what still breaks one and may only shrink: a new
 * breach fails. Whoever mends one takes it off the list.
 */

const sources = filesUnder(["src"], [".ts"]);

/** How often each file breaks a rule; files that keep it are left out. */
function breaches(files: readonly SourceFile[], count: (text: string) => number): Readonly<Record<string, number>> {
  const counted = files.map(({ path, text }) => [path, count(text)] as const);
  return Object.fromEntries(counted.filter(([, times]) => times > 0));
}

const LONG_FUNCTIONS: readonly string[] = [
  "src/cli/format/report-markdown.ts reportMarkdown",
  "src/cli/program/local.ts addLocal",
  "src/cli/program/remote.ts addRemote",
  "src/drivers/fence/dynamodb/driver.ts dynamoFence",
  "src/drivers/fence/dynamodb/fake.ts fakeDynamo",
  "src/drivers/fence/redis/driver.ts redisFence",
  "src/drivers/outbox/postgres/statements.ts statementsFor",
  "src/drivers/store/memory/driver.ts memoryStore",
  "src/fence/idempotency.ts idempotency",
  "src/fence/memory-store.ts memoryFence",
  "src/fence/webhook/memory-inbox.ts memoryWebhookInbox",
  "src/lab/traffic/tally.ts tally",
  "src/testing/fence-crash.ts runCrashMatrix",
  "src/testing/outbox-crash.ts runOutboxCrashMatrix",
];

const MAX_COLUMNS = 120;

/** `path name` of every function of the sources with more than 60 lines, tests left out. */
function longFunctions(paths: readonly string[]): readonly string[] {
  const oxlint = join(ROOT, "node_modules", ".bin", "oxlint");
  const args = ["-c", "tools/function-length.oxlintrc.json", "--format=unix", ...paths];
  const { stdout } = spawnSync(oxlint, args, { cwd: ROOT, encoding: "utf8", timeout: 120_000 });
  const found = [...stdout.matchAll(/^(\S+?):\d+:\d+: The .*?function(?: `(\S+)`)? has too many lines/gm)];
  return found.map(([, path, name = "(nameless)"]) => `${path} ${name}`).filter((at) => !/\.test\.ts /.test(at));
}

describe("what the sources do not keep everywhere yet", () => {
  it("has functions of at most 60 lines", () => {
    // Both ways: whoever mends one takes it off the list.
    expect([...longFunctions(["src"])].sort()).toEqual([...LONG_FUNCTIONS].sort());
  }, 120_000);

  it("has comments of at most 120 columns, which the formatter does not see", () => {
    const isLong = (line: string) => line.length > MAX_COLUMNS && /^\s*(\/\/|\/?\*)/.test(line);
    expect(breaches(sources, (text) => text.split("\n").filter(isLong).length)).toEqual({});
  });

  it("would notice: a function of 61 lines is found", () => {
    expect(longFunctions(["test/fixtures/long-function.ts"])).toEqual(["test/fixtures/long-function.ts tooLong"]);
  }, 60_000);
});
