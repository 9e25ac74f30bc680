import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, the longest first. They begin first: a sequencer that goes by size begins the longest
 * last, for most of them are short to read, and they would run beside an idle core.
 */
const LONGEST = [
  "src/core/rehearsal/study.test.ts",
  "test/demo/live.test.ts",
  "test/integration/partition/partition.test.ts",
  "test/cli/later-releases.test.ts",
  "test/controller/kill.test.ts",
  "test/cli/backup.test.ts",
  "test/examples/services.test.ts",
  "test/integration/served/impostor.test.ts",
  "test/integration/served/rotation.test.ts",
  "test/cli/bad-input.test.ts",
  "test/cli/own-urls.test.ts",
  "test/package.test.ts",
  "test/integration/served/no-renewal.test.ts",
  "test/integration/served/handover.test.ts",
  "test/integration/served/override.test.ts",
  "tools/compile.test.ts",
];
for (const file of LONGEST)
  if (!existsSync(new URL(file, import.meta.url))) throw new Error(`${file} is gone; take it out of vitest.config.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((file) => moduleId.endsWith(file));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "tools/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/runtime/**/node_modules/**"],
    // They end what hangs; they measure nothing, for the machine may be shared with others.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
