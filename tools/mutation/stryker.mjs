// One run of Stryker with the options in MUTATION_OPTIONS; started by within.mjs, which may end it at any moment.
import { Stryker } from "@stryker-mutator/core";

const options = JSON.parse(process.env.MUTATION_OPTIONS);
const stryker = new Stryker({
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  reporters: ["event-recorder"],
  eventReporter: { baseDir: process.env.MUTATION_EVENTS },
  ignorePatterns: [".mutants", "bench", "docs/**/*.svg", "coverage", "examples", "deploy"],
  allowConsoleColors: false,
  logLevel: "warn",
  ...options,
});
await stryker.runMutationTest();
