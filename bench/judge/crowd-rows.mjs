// Populations that cluster: who fails, who is slow, who comes back. Healthy unless the candidate differs.
const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Gamma by Marsaglia and Tsang, ACM TOMS 26 (2000) 363-372. */
function gamma(random, shape) {
  if (shape < 1) return gamma(random, shape + 1) * random() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
const beta = (random, mean, weight) => {
  const [x, y] = [gamma(random, mean * weight), gamma(random, (1 - mean) * weight)];
  return x / (x + y);
};

const WEB = { users: 3_000, zipf: 0.8, requestsPerSecond: 50 };
const byTrait = ({ trait }) => trait;
const lognormal = (medianMs) => (_person, _arm, _atS, random) => medianMs * Math.exp(0.5 * normal(random));
const fewBad = { trait: (random) => (random() < 0.01 ? 0.5 : 0), failure: byTrait, latencyMs: lognormal(60) };
const betaRates = { trait: (random) => beta(random, 0.02, 5), failure: byTrait, latencyMs: lognormal(60) };
const even = (stable, candidate = stable) => ({
  trait: () => 0,
  failure: (_person, arm) => (arm === "candidate" ? candidate : stable),
  latencyMs: lognormal(60),
});
const returning = (factor) => ({ returns: (arm) => (arm === "candidate" ? factor : 1) });
const slowUsers = {
  trait: (random) => (random() < 0.05 ? 4 : 1),
  failure: () => 0.005,
  latencyMs: ({ trait }, _arm, _atS, random) => 60 * trait * Math.exp(0.5 * normal(random)),
};
const healthy = (name, population, over = {}) => ({
  name,
  isHarmful: false,
  population: { ...WEB, ...population, ...over },
});
const harmful = (name, population, over = {}) => ({
  name,
  isHarmful: true,
  population: { ...WEB, ...population, ...over },
});
/** 50 tenants of 60 users each and three languages; or 1 500 tenants of two, of which most are among the rest. */
const told = (tenants) => ({
  steps: [10, 25, 50, 100],
  segments: ({ rank }) => [`tenant#${rank % tenants}`, `locale=l${rank % 3}`],
});
const SICK = 7;
const isSick = ({ rank }) => rank % 50 === SICK;
/** One tenant, 2 % of the users, fails so much of its requests; the others 0.5 %. */
const sickTenant = (stable, candidate = stable) => ({
  ...even(0.005),
  ...told(50),
  failure: (person, arm) => (isSick(person) ? (arm === "candidate" ? candidate : stable) : 0.005),
});

export const ROWS = [
  healthy("few-bad-users", fewBad),
  healthy("few-bad-users zipf 1.2", fewBad, { zipf: 1.2 }),
  healthy("beta-rates 300 users", betaRates, { users: 300 }),
  healthy("beta-rates", betaRates),
  healthy("independent 0.5 %", even(0.005)),
  healthy("independent 2 %", even(0.02)),
  healthy("return 2x, 2 %", { ...even(0.02), ...returning(2) }),
  healthy("return 1.5x, beta", { ...betaRates, ...returning(1.5) }),
  healthy("return 0.5x, few bad", { ...fewBad, ...returning(0.5) }),
  healthy(
    "one tenant, half of the traffic",
    {
      ...even(0.005),
      trait: (_random, rank) => (rank === 0 ? 0.05 : 0.002),
      failure: byTrait,
    },
    { zipf: 1.6 },
  ),
  healthy("common outage", { ...even(0.005), failure: (_p, _arm, atS) => (atS > 200 && atS < 260 ? 0.6 : 0.005) }),
  healthy("slow users", slowUsers),
  healthy("30 users, 2 %", even(0.02), { users: 30, requestsPerSecond: 10 }),
  harmful("dead", even(0.005, 1)),
  harmful("dead, 30 users", even(0.005, 1), { users: 30, requestsPerSecond: 10 }),
  harmful("errors 2 %", even(0.005, 0.02)),
  harmful("errors 5 %", even(0.005, 0.05)),
  healthy("segments, few bad users", { ...fewBad, ...told(50) }),
  healthy("segments, 1 500 tenants, 2 %", { ...even(0.02), ...told(1_500) }),
  healthy("segments, a tenant fails half on both arms", sickTenant(0.5)),
  healthy("segments, that and return 2x", { ...sickTenant(0.5), ...returning(2) }),
  harmful("segments, 2 % of the users fail all", sickTenant(0.005, 1), { harmed: `tenant#${SICK}` }),
  harmful("segments, 2 % of the users fail half", sickTenant(0.005, 0.5), { harmed: `tenant#${SICK}` }),
  harmful("latency +40 %", {
    ...even(0.005),
    latencyMs: (_p, arm, _atS, random) => (arm === "candidate" ? 84 : 60) * Math.exp(0.5 * normal(random)),
  }),
];
