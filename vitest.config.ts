import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Tests that live through real time: whole rollouts, leases that run out, kills, nine services, an installation. They
 * are `npm run test:long`, the longest first: a sequencer that goes by size begins the longest last, for most of them
 * are short to read, and they would run beside an idle core.
 */
const LONG = [
  "src/core/rehearsal/study.test.ts",
  "test/package.test.ts",
  "test/examples/services.test.ts",
  "test/demo/cutover.test.ts",
  "test/demo/live.test.ts",
  "test/demo/stories.test.ts",
  "test/cli/process-edges.test.ts",
  "test/integration/partition/partition.test.ts",
  "test/integration/haproxy/lease.test.ts",
  "test/integration/haproxy/decisions.test.ts",
  "test/cli/later-releases.test.ts",
  "test/integration/queue/bullmq/bullmq.conformance.test.ts",
  "test/integration/cache/nginx/nginx.conformance.test.ts",
  "test/integration/queue/rabbitmq/rabbitmq.conformance.test.ts",
  "test/integration/queue/pg-boss/pg-boss.conformance.test.ts",
  "test/integration/cutover/whole.test.ts",
  "test/integration/cutover/cutover.test.ts",
  "test/integration/cutover/queue.test.ts",
  "test/controller/drill.test.ts",
  "test/integration/drill/a.test.ts",
  "test/examples/workers.test.ts",
  "test/controller/kill.test.ts",
  "test/integration/store/postgres/controllers.test.ts",
  "test/integration/store/crash-points.test.ts",
  "test/integration/store/postgres/kill.test.ts",
  "test/integration/store/postgres/command-line.test.ts",
  "test/cli/bad-input.test.ts",
  "test/integration/served/handover.test.ts",
  "test/integration/served/impostor.test.ts",
  "test/cli/own-urls.test.ts",
  "test/integration/served/rotation.test.ts",
  "test/cli/backup.test.ts",
  "test/cli/segments.test.ts",
  "test/integration/served/override.test.ts",
  "test/integration/served/no-renewal.test.ts",
  "test/cli/answers-live.test.ts",
  "src/host/serve-controller.test.ts",
  "test/integration/outbox/crash.test.ts",
  "test/integration/webhook/end-to-end.test.ts",
  "src/drivers/store/pglite/restore.test.ts",
  "src/fence/crash.test.ts",
  "test/integration/fence/crash.test.ts",
  "test/gateway/live.test.ts",
  "test/frameworks.test.ts",
];
for (const file of LONG)
  if (!existsSync(new URL(file, import.meta.url))) throw new Error(`${file} is gone; take it out of vitest.config.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = LONG.findIndex((file) => moduleId.endsWith(file));
      return place < 0 ? LONG.length : place;
    };
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

/** Pure code, whose tests leave nothing behind: a process takes many files, and loads what they share once. */
const PURE = ["src/core/**/*.test.ts", "src/spec/**/*.test.ts", "src/plane/**/*.test.ts"];

const NOT_OURS = ["**/node_modules/**", "test/runtime/**/node_modules/**"];

export default defineConfig({
  test: {
    // They end what hangs; they measure nothing, for the machine may be shared with others.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "pure", isolate: false, include: PURE, exclude: [...NOT_OURS, ...LONG] } },
      {
        extends: true,
        test: {
          name: "short",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "tools/**/*.test.ts"],
          exclude: [...NOT_OURS, ...PURE, ...LONG],
        },
      },
      { extends: true, test: { name: "long", include: LONG, exclude: NOT_OURS } },
    ],
  },
});
