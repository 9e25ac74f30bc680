import type { MetricSource } from "../../ports/metric-source.ts";
import type { Lack, MetricSourceFacts, WrittenMetric } from "../../spec/known-drivers.ts";
import type { ConnectionConfig } from "./connection.ts";

/** How a driver is opened: its server, and what the document says of it alone. */
interface MetricPlace extends ConnectionConfig {
  /** JSON pointer to the time of the numbers, where the document has one. */
  readonly timestamp?: string;
}

/** One product that numbers come from: what documents must know of it, and the way to open it. */
export interface MetricDriver extends MetricSourceFacts {
  readonly open: (place: MetricPlace) => MetricSource;
}

/** The headers with its keys that a source asks for, and a metric does not give. */
export function missingHeaders({ source, access }: WrittenMetric, keys: readonly string[]): readonly Lack[] {
  const given = Object.keys(access?.headers ?? {}).map((header) => header.toUpperCase());
  return keys
    .filter((key) => !given.includes(key.toUpperCase()))
    .map((key) => ({
      message: `${source} asks for the header ${key}, and access.headers has none`,
      fix: `access: { headers: { ${key}: { file: /run/secrets/${key.toLowerCase()} } } }`,
    }));
}
