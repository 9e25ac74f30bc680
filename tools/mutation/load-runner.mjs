import { strykerPlugins as vitestPlugins, strykerValidationSchema } from "@stryker-mutator/vitest-runner";

const [vitest] = vitestPlugins;

/**
 * Stryker's runner for vitest, which notices a mutant with which a test file cannot be loaded, too: vitest reports such
 * a file without any test, and Stryker takes a run without a failed test for one that the mutant survived.
 */
function createRunner(injector) {
  const runner = vitest.factory(injector);
  const run = runner.mutantRun.bind(runner);
  runner.mutantRun = async (options) => {
    const result = await run(options);
    if (result.status !== "survived") return result;
    const broken = runner.ctx.state.getFiles().filter(({ tasks, result: found }) => {
      return tasks.length === 0 && found?.state === "fail";
    });
    if (broken.length === 0) return result;
    const [{ name, result: found }] = broken;
    const failureMessage = `${AT_LOAD} ${name}: ${found.errors?.[0]?.message ?? "no reason given"}`;
    return { status: "killed", killedBy: [name], failureMessage, nrOfTests: 0 };
  };
  return runner;
}
createRunner.inject = vitest.factory.inject;

/** How the reason of a mutant begins that was noticed because a file could not be loaded. */
export const AT_LOAD = "cannot load";
export const strykerPlugins = [{ ...vitest, name: "vitest-or-load", factory: createRunner }];
export { strykerValidationSchema };
