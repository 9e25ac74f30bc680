import type { Problem } from "../core/problem.ts";
import type { Report } from "./report.ts";
import { regionOf } from "./metric-source.ts";
import type { RolloutDocument } from "./rollout-schema.ts";
import type { Path } from "./source.ts";

type Metric = NonNullable<RolloutDocument["spec"]["metrics"]>[number];

const DATADOG_KEYS = ["DD-API-KEY", "DD-APPLICATION-KEY"];

/** What a source needs beside its query, told before it is asked for the first time. */
export function checkMetricSource(metric: Metric, at: Path, problem: Report): readonly Problem[] {
  const { source, url, tokenFile, access } = metric;
  if (source === "datadog") {
    const given = Object.keys(access?.headers ?? {}).map((header) => header.toUpperCase());
    return DATADOG_KEYS.filter((key) => !given.includes(key)).map((key) => {
      const fix = `access: { headers: { ${key}: { file: /run/secrets/${key.toLowerCase()} } } }`;
      return problem(at, "E123", `datadog asks for the header ${key}, and access.headers has none`, fix);
    });
  }
  if (source !== "cloudwatch") return [];
  const problems: Problem[] = [];
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
