import { defineConfig } from "vitest/config";

/** The tests that carry one requirement's ID, and of their files nothing else. */
export default defineConfig({
  test: {
    include: (process.env["MUTATION_TESTS"] ?? "none").split(","),
    setupFiles: ["tools/mutation/only-id.setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
