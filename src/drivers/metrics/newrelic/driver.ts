import { assert } from "../../../core/assert.ts";
import type { MetricSource } from "../../../ports/metric-source.ts";
import { type ConnectionConfig, connect } from "../connection.ts";
import { accountOf } from "./account.ts";
import { meaningOf, readAnswer, refusalText } from "./render.ts";

/**
 * `url` is the API of a data centre and names the account: `https://api.eu.newrelic.com?account=1234567`. `fetch`
 * brings the user key, `API-Key`.
 */
export type NewRelicConfig = ConnectionConfig;

const NAME = "metrics/newrelic";
/** New Relic gives up on a query after this long unless told otherwise, which is as long as a reading may take. */
const TIMEOUT_S = 5;

const QUERY = `query ($account: Int!, $nrql: Nrql!, $timeout: Seconds) {
  actor {
    account(id: $account) {
      nrql(query: $nrql, timeout: $timeout) { results metadata { facets timeWindow { begin end } } }
    }
  }
}`;

/** Numbers out of New Relic by NerdGraph; the query is one of NRQL. Repeating a reading changes nothing. */
export function newRelic(config: NewRelicConfig): MetricSource {
  const account = accountOf(config.url);
  assert(account !== null, `${NAME}: url names no account; write it as https://api.newrelic.com?account=1234567`);
  const url = new URL(config.url);
  url.searchParams.delete("account");
  const connection = connect(NAME, { ...config, url: url.href }, "/graphql", { detailOf: refusalText, meaningOf });
  return {
    name: "newrelic",
    read(order, now) {
      const variables = { account, nrql: order.query, timeout: TIMEOUT_S };
      const body = { type: "application/json", text: JSON.stringify({ query: QUERY, variables }) };
      return connection.read(async (send) => readAnswer(await send({ body }), order, now));
    },
  };
}
