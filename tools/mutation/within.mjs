import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const RUN = fileURLToPath(new URL("stryker.mjs", import.meta.url));

/**
 * Runs Stryker in a process of its own for at most `budgetMs` and tells what was tried by then: mutants with a status,
 * how many there were to try, and the end of what Stryker said. When time is up its whole process group is ended.
 * @param options of Stryker @param env more environment, for the tests
 */
export async function mutateWithin(options, env, budgetMs) {
  const events = await mkdtemp(join(tmpdir(), "sluice-mutants-"));
  const sandbox = join(".mutants", basename(events));
  const child = spawn(process.execPath, [RUN], {
    env: {
      ...process.env,
      ...env,
      MUTATION_OPTIONS: JSON.stringify({ ...options, tempDirName: sandbox }),
      MUTATION_EVENTS: events,
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(child.pid);
  }, budgetMs);
  await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  const read = await eventsIn(events);
  await rm(events, { recursive: true });
  await rm(sandbox, { recursive: true, force: true }); // Of a run that was ended, too.
  const planned = read.find(({ name }) => name === "onMutationTestingPlanReady")?.json.mutantPlans ?? [];
  const tested = read.filter(({ name }) => name === "onMutantTested").map(({ json }) => json);
  const judged = tested.filter(({ status }) => status !== "Ignored" && status !== "CompileError");
  return { judged, planned: planned.length, isLate, said: said.slice(-2_000) };
}

function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** What Stryker's event recorder wrote: `00012-onMutantTested.json`. The last file may be cut off. */
async function eventsIn(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  const read = await Promise.all(
    names.map(async (file) => {
      const name = file.replace(/^\d+-|\.json$/g, "");
      try {
        return { name, json: JSON.parse(await readFile(join(folder, file), "utf8")) };
      } catch {
        return null;
      }
    }),
  );
  return read.filter((event) => event !== null);
}

/** A mutant as one line for people. */
export function shown({ fileName, location, mutatorName, replacement, status }) {
  const to = (replacement ?? "").replaceAll(/\s+/g, " ").slice(0, 60);
  const file = fileName.replace(`${process.cwd()}/`, "");
  return `${status} ${file}:${location.start.line} ${mutatorName} → ${to}`;
}
