import type { Problem } from "../core/problem.ts";
import type { Report } from "./report.ts";
import { accountOf, regionOf } from "./metric-source.ts";
import type { RolloutDocument } from "./rollout-schema.ts";
import type { Path } from "./source.ts";

type Metric = NonNullable<RolloutDocument["spec"]["metrics"]>[number];

/** Headers that carry the credentials of a source. */
const KEYS: Partial<Record<Metric["source"], readonly string[]>> = {
  datadog: ["DD-API-KEY", "DD-APPLICATION-KEY"],
  newrelic: ["API-Key"],
};

/** What a source needs beside its query, told before it is asked for the first time. */
export function checkMetricSource(metric: Metric, at: Path, problem: Report): readonly Problem[] {
  const { source, url, tokenFile, access } = metric;
  const given = Object.keys(access?.headers ?? {}).map((header) => header.toUpperCase());
  const problems: Problem[] = (KEYS[source] ?? [])
    .filter((key) => !given.includes(key.toUpperCase()))
    .map((key) => {
      const fix = `access: { headers: { ${key}: { file: /run/secrets/${key.toLowerCase()} } } }`;
      return problem(at, "E123", `${source} asks for the header ${key}, and access.headers has none`, fix);
    });
  if (source === "newrelic" && accountOf(url) === null) {
    const fix = "e.g. https://api.newrelic.com?account=1234567";
    problems.push(problem([...at, "url"], "E123", `"${url}" names no account of New Relic`, fix));
  }
  if (source !== "cloudwatch") return problems;
  if (regionOf(url) === null) {
    const fix = "e.g. https://monitoring.eu-west-1.amazonaws.com";
    problems.push(problem([...at, "url"], "E123", `"${url}" names no region of CloudWatch`, fix));
  }
  if (tokenFile !== undefined || access?.bearer !== undefined || access?.basic !== undefined || access?.oauth) {
    const fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of `sluice serve`";
    problems.push(
      problem(at, "E123", "cloudwatch signs its requests with AWS keys and takes no other credentials", fix),
    );
  }
  return problems;
}
