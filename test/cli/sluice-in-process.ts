import { vi } from "vitest";
import { buildProgram } from "../../src/cli/program/program.ts";
import { runProgram } from "../../src/cli/run-program.ts";

/** Runs `sluice ...argv` in this process, one at a time, with what it wrote and its exit code. */
export async function sluiceInProcess(
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const heard = { stdout: "", stderr: "" };
  const listen = (name: "stdout" | "stderr") =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      heard[name] += String(text);
      return true;
    });
  const spies = [listen("stdout"), listen("stderr")];
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, before: stream.listeners("error") }));
  try {
    const code = await runProgram(buildProgram, ["node", "sluice", ...argv]);
    return { code, ...heard };
  } finally {
    for (const spy of spies) spy.mockRestore();
    for (const { stream, before } of streams) {
      const added = stream.listeners("error").filter((listener) => !before.includes(listener));
      for (const listener of added) stream.removeListener("error", listener as () => void);
    }
  }
}

/** The same with the arguments that `runSluice` takes. */
export const inThisProcess = (argv: readonly string[]) => sluiceInProcess(...argv);
