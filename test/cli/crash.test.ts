import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const DIST = new URL("../../dist/", import.meta.url);
const SECRET = "canary-7f3a9e";

/** A process of the built command line whose one command fails in the given way, with a secret in the text. */
async function crashed(how: string): Promise<{ readonly code: number; readonly said: string }> {
  const script = `
    import { Command } from "commander";
    import { keepSecret } from "${DIST.href}drivers/secrets.js";
    import { runProcess } from "${DIST.href}cli/run-program.js";
    keepSecret("${SECRET}");
    const failure = () => new TypeError("cannot read ${SECRET} of undefined");
    const build = () => new Command().action(async () => { ${how} });
    await runProcess(build);
  `;
  try {
    await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: new URL("../../", import.meta.url) });
    throw new Error("it did not crash");
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, said: stdout + stderr };
  }
}

describe("a bug of ours", () => {
  it.each([
    ["in the command", "throw failure();"],
    [
      "in a timer",
      "setTimeout(() => { throw failure(); }, 1); await new Promise((resolve) => setTimeout(resolve, 5_000));",
    ],
    [
      "in a promise nobody waits for",
      "void Promise.reject(failure()); await new Promise((resolve) => setTimeout(resolve, 5_000));",
    ],
  ])("%s ends with exit 1 and a stack without a secret", async (_, how) => {
    const { code, said } = await crashed(how);
    expect(code).toBe(1);
    expect(said).toMatch(/internal error: TypeError: cannot read \*\*\* of undefined\n\s+at /);
    expect(said).not.toContain(SECRET);
  });
});
