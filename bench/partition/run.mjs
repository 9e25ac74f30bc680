import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { partition } from "./partition.mjs";

const SAYS = {
  cut: "then an abort",
  killed: "an abort, and the controller killed a moment later and started again",
  restored: "the controller killed, its database restored from an older backup, then an abort",
};
const { variant } = parseArgs({ options: { variant: { type: "string", default: "cut" } } }).values;
if (SAYS[variant] === undefined) throw new Error(`--variant is one of ${Object.keys(SAYS).join(", ")}`);
const runs = Number(process.env.RUNS ?? 50);
const leaseMs = Number(process.env.LEASE_MS ?? 3_000);
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const results = await partition({ main, runs, leaseMs, variant, log: (line) => console.log(line) });
const sum = (name) => results.reduce((total, one) => total + one[name], 0);
const worstMs = Math.max(...results.map(({ endedAfterMs }) => endedAfterMs));
console.log(`${runs} runs, lease ${leaseMs} ms, one of two gateways cut off at a random moment, ${SAYS[variant]}`);
console.log(
  `  candidate answers after the order + lease, gateway cut off: ${sum("farAfterLease")} (before it: ${sum("farUntilLease")})`,
);
console.log(`  candidate answers later than promised, gateway in reach: ${sum("nearAfter1s")}`);
console.log(`  candidate answers after "aborted" was told: ${sum("afterToldAborted")}`);
console.log(
  `  told after at most ${worstMs} ms; ${results.filter(({ phase }) => phase === "aborted").length} ended aborted`,
);
if (sum("farAfterLease") + sum("nearAfter1s") + sum("afterToldAborted") > 0) process.exitCode = 1;
