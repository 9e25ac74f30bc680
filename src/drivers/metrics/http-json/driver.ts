import { assert } from "../../../core/assert.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { MetricSource } from "../../../ports/metric-source.ts";
import { type ConnectionConfig, connect } from "../connection.ts";
import { parsePointer } from "../../../core/json-pointer.ts";
import { readNumber } from "./render.ts";

export interface HttpJsonConfig extends ConnectionConfig {
  /**
   * JSON pointer to the time of the numbers: epoch milliseconds or ISO 8601 with a zone. Without it a number counts as
   * taken when it was asked for.
   */
  readonly timestamp?: string;
}

const NAME = "metrics/http-json";
const ADVICE = 'begin with "/" and write "~" as "~0"';

/**
 * Numbers out of any JSON document behind one address, asked by GET; the order's query is a JSON pointer (RFC 6901),
 * and one that is none is `rejected`. Repeating a reading changes nothing.
 */
export function httpJson(config: HttpJsonConfig): MetricSource {
  const timestamp = config.timestamp === undefined ? null : parsePointer(config.timestamp);
  const isPointer = config.timestamp === undefined || timestamp !== null;
  assert(isPointer, `${NAME}: timestamp "${config.timestamp}" is no JSON pointer; ${ADVICE}`);
  const connection = connect(NAME, config, "", { detailOf: () => "" });
  return {
    name: "http-json",
    async read(order, now) {
      const query = parsePointer(order.query);
      if (query === null) {
        throw new DriverError("rejected", "never", `${NAME}: query "${order.query}" is no JSON pointer; ${ADVICE}`);
      }
      return connection.read(async (send) => readNumber(await send({}), order, { query, timestamp }, now));
    },
  };
}
