// How long one routing decision takes, beside the decision of feature-flag SDKs in the same run.
//   npm --prefix bench/decide ci && npm run build && node bench/decide/run.mjs [rounds]
import { measure } from "mitata";
import { xxHash32 } from "../../dist/core/assign/xxhash32.js";
import { compileRouteTable, route } from "../../dist/core/routing/route.js";
import { interleave, pinToOneCore, printRows, settle } from "../measure.mjs";
import { document, keys } from "./subject.mjs";

pinToOneCore();
const ROUNDS = Number(process.argv[2] ?? 5);
const SHARE = document.candidateBp / 10_000;
const OURS = "sluice route(): pin, allow-list, 10 % sticky, target, reason";
const PEER = "unleash-client isEnabled(): flexibleRollout 10 %";

const bytes = keys.map((key) => Buffer.from(key));
let at = 0;
const nextAt = () => (at = (at + 1) & 4_095);
const nextKey = () => keys[nextAt()];

const table = compileRouteTable(document);
const pin = { arm: "candidate", purpose: "qa" };

async function unleashIsEnabled() {
  const { InMemStorageProvider, Unleash } = await import("unleash-client");
  const strategy = {
    name: "flexibleRollout",
    constraints: [],
    parameters: { rollout: "10", stickiness: "userId", groupId: "rag" },
  };
  const feature = { name: "rag", type: "release", enabled: true, stale: false, strategies: [strategy], variants: [] };
  const client = new Unleash({
    appName: "bench",
    url: "http://127.0.0.1:1/api/", // Nobody listens: everything comes from the bootstrap.
    refreshInterval: 0,
    disableMetrics: true,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
    bootstrap: { data: [feature] },
    bootstrapOverride: true,
    storageProvider: new InMemStorageProvider(),
  });
  for (const event of ["error", "warn"]) client.on(event, () => {});
  await Promise.race([client.start(), new Promise((resolve) => setTimeout(resolve, 1_500))]);
  return () => client.isEnabled("rag", { userId: nextKey() });
}

async function growthbookForceRule() {
  const { GrowthBookClient } = await import("@growthbook/growthbook");
  const rule = { force: "b", coverage: SHARE, hashAttribute: "id", seed: "rag", hashVersion: 2 };
  const client = new GrowthBookClient().initSync({
    payload: { features: { rag: { defaultValue: "a", rules: [rule] } } },
  });
  return () => client.getFeatureValue("rag", "a", { attributes: { id: nextKey() } });
}

const rows = [
  {
    name: "floor: xxHash32 and compare",
    run: () => xxHash32(nextKey(), 7) < table.threshold,
    isCandidate: (hit) => hit,
  },
  { name: OURS, run: () => route(table, nextKey(), null, null), isCandidate: ({ arm }) => arm === "candidate" },
  {
    name: "  the same, unit decoded from bytes for every request",
    run: () => route(table, bytes[nextAt()].latin1Slice(), null, null),
    isCandidate: ({ arm }) => arm === "candidate",
  },
  { name: "  the same, with a verified pin", run: () => route(table, nextKey(), pin, null) },
  {
    name: "  the same, client sends x-exp",
    run: () => route(table, nextKey(), null, "candidate"),
    isCandidate: ({ arm }) => arm === "candidate",
  },
  { name: PEER, run: await unleashIsEnabled(), isCandidate: (enabled) => enabled },
  {
    name: "@growthbook/growthbook getFeatureValue(): 10 % force rule",
    run: await growthbookForceRule(),
    isCandidate: (value) => value === "b",
  },
];

// A row that does not decide 10 % is not doing the work it is timed for.
for (const { name, run, isCandidate } of rows) {
  if (isCandidate === undefined) continue;
  let hits = 0;
  for (let i = 0; i < 20_480; i++) if (isCandidate(run())) hits++;
  const share = hits / 20_480;
  if (Math.abs(share - SHARE) > 0.02) {
    console.error(`${name}: decides ${share} for the candidate, expected ${SHARE} ± 0.02; the row measures nothing`);
    process.exit(1);
  }
}

const results = await interleave(measure, rows, ROUNDS, 300);
printRows(results, PEER);
const ours = results.get(OURS).ns;
const ratio = results.get(PEER).ns / ours;
settle([
  { goal: "at least 4 M decisions/s (250 ns)", found: `${(1e3 / ours).toFixed(2)} M/s`, met: ours <= 250 },
  { goal: "at least 8x unleash-client isEnabled", found: `${ratio.toFixed(1)}x`, met: ratio >= 8 },
]);
