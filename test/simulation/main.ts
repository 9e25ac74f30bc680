import { parseArgs } from "node:util";
export { PLANTED_BUGS } from "./planted-bugs.ts";
import { type Scenario, scenarioOf } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** Plays seeds one after another until one fails; what each came to goes to `each`. */
export async function playSeeds(
  from: number,
  count: number,
  each: (outcome: Outcome) => void,
): Promise<Outcome | null> {
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(scenarioOf(seed));
    each(outcome);
    if (outcome.violation !== null) return outcome;
  }
  return null;
}

/** The command: how many seeds, from which. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const options = {
    seeds: { type: "string", default: "1" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const from = Number(values.seed ?? values.from);
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  if (![from, count].every((number) => Number.isInteger(number) && number >= 0)) {
    console.error("--seed, --seeds and --from take whole numbers");
    return 2;
  }
  if (values.seed !== undefined) {
    console.log(JSON.stringify(shown(scenarioOf(from))));
  }
  const [startedMs, startedCpu] = [performance.now(), process.cpuUsage()];
  const [ends, faults] = [new Map<string, number>(), new Map<string, number>()];
  const add = (to: Map<string, number>, key: string, more = 1) => to.set(key, (to.get(key) ?? 0) + more);
  let [played, events, decisions, virtualMs] = [0, 0, 0, 0];
  const failed = await playSeeds(from, count, (outcome) => {
    played++;
    events += outcome.events;
    decisions += outcome.decisions;
    virtualMs += outcome.virtualMs;
    for (const end of outcome.ends) add(ends, end.split(" ")[1] ?? "");
    for (const [kind, times] of Object.entries(outcome.faults)) add(faults, kind, times);
    if (values.seed !== undefined) console.log([...outcome.lastEvents, `digest ${outcome.digest}`].join("\n"));
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(startedCpu);
  const cpuSeconds = (user + system) / 1_000_000;
  const told = (counted: Map<string, number>) =>
    [...counted]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, times]) => `${key} ${times}`)
      .join(", ");
  const speed = `${(played / seconds).toFixed(1)} a second, ${(played / cpuSeconds).toFixed(1)} a second of a core`;
  console.log(`${played} seeds in ${seconds.toFixed(1)} s: ${speed}`);
  console.log(`${events} events, ${decisions} decisions, ${Math.round(virtualMs / 1_000)} virtual seconds`);
  console.log(`ends: ${told(ends)}`);
  console.log(`faults: ${told(faults)}`);
  if (failed?.violation == null) return 0;
  const { law, atMs, text } = failed.violation;
  console.log(`seed ${failed.seed} breaks "${law}" at ${atMs} ms: ${text}`);
  const { scenario, outcome, tries } = await shrink(scenarioOf(failed.seed), failed, simulate);
  console.log(`a smaller scenario that breaks it, after ${tries} tries: ${JSON.stringify(shown(scenario))}`);
  console.log(`its last events:\n${outcome.lastEvents.join("\n")}`);
  return 1;
}

/** A scenario without what says nothing about how it came. */
function shown({ plan, ...rest }: Scenario) {
  const { stages, onFail, leaseMs } = plan;
  return { ...rest, plan: { stages, onFail, leaseMs } };
}
