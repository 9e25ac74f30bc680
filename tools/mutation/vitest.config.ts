import { defineConfig } from "vitest/config";

/**
 * The tests that decide on a mutant: those beside the mutated file, so that a rule is proven where it stands and an
 * answer comes in seconds. Studies that rehearse thousands of rollouts are left out.
 */
export default defineConfig({
  test: {
    include: (process.env["MUTATION_TESTS"] ?? "src/core/**/*.test.ts").split(","),
    exclude: ["**/node_modules/**", "**/study.test.ts", "**/held-truths.test.ts", "**/crash.test.ts"],
    testTimeout: 20_000,
  },
});
