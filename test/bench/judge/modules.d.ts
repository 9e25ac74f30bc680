// The benchmark is plain JavaScript; its tests take it untyped.
declare module "*/bench/judge/cell.mjs";
declare module "*/bench/judge/goals.mjs";
declare module "*/bench/judge/gold.mjs";
declare module "*/bench/judge/ours.mjs";
declare module "*/bench/judge/peers.mjs";
declare module "*/bench/judge/policies.mjs";
declare module "*/bench/judge/scenarios.mjs";
declare module "*/bench/judge/traces.mjs";
declare module "*/bench/judge/rules/argo.mjs";
declare module "*/bench/judge/rules/flagger.mjs";
declare module "*/bench/judge/rules/kayenta.mjs";
declare module "*/bench/judge/rules/mann-whitney.mjs";
declare module "*/bench/judge/rules/metrics.mjs";
