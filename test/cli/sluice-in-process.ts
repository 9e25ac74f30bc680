import { vi } from "vitest";
import { buildProgram } from "../../src/cli/program/program.ts";
import { runProgram } from "../../src/cli/run-program.ts";

/** Runs `sluice ...argv` in this process, with what it wrote and its exit code. */
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
  try {
    const code = await runProgram(buildProgram, ["node", "sluice", ...argv]);
    return { code, ...heard };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
