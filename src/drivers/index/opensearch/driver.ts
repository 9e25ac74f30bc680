import type { IndexAliases } from "../../../ports/index-alias.ts";
import { httpSend } from "../../http-send.ts";
import type { IndexPlace } from "../index-driver.ts";
import { flipNamed, readNamed } from "../native-flip.ts";
import { answeringOf, factsOf, hashOf, NAME } from "./answers.ts";
import { openSearchNames, pathOf } from "./names.ts";

/** More indexes than one behind a name are a mistake, and ten of them show it as well as all. */
const ANSWERING_MAX = 10;

/** `user:password` is sent as Basic, anything else as a bearer token; an `ApiKey …` as it is. */
function authorization(secret: string | null): Readonly<Record<string, string>> {
  if (secret === null) return {};
  if (secret.startsWith("ApiKey ")) return { authorization: secret };
  const isPair = secret.includes(":");
  return { authorization: isPair ? `Basic ${Buffer.from(secret, "utf8").toString("base64")}` : `Bearer ${secret}` };
}

/**
 * Indexes of OpenSearch or Elasticsearch behind their own aliases. The alias is moved in one step that fails unless
 * `from` carries it; a record of ours in the index `sluice-index-alias` keeps the epoch, by compare-and-set.
 */
export function openSearchAliases(place: IndexPlace): IndexAliases {
  const send = httpSend(NAME, place, authorization);
  const names = openSearchNames(send);
  const get = (path: string, signal: AbortSignal) => send({ method: "GET", path, also: [404] }, signal);
  return {
    name: NAME,
    can: { alias: "native", compareAndSet: true, epochs: true, immediate: false },
    async describe(index, signal) {
      const path = pathOf(index);
      const mapping = await get(`/${path}/_mapping`, signal);
      if (mapping.status === 404 || !Object.hasOwn(mapping.body as object, index)) return null;
      const [count, health] = [await get(`/${path}/_count`, signal), await get(`/_cluster/health/${path}`, signal)];
      if (count.status === 404) return null; // Removed between.
      return factsOf(index, { mapping: mapping.body, count: count.body, health: health.body });
    },
    readAlias: (alias, signal) => readNamed(names, alias, signal),
    flip: (flip, signal) => flipNamed(names, flip, signal),
    async readThrough(alias, signal) {
      const path = pathOf(alias);
      if ((await names.target(alias, signal)) === null) return []; // Else an index of that name would answer.
      const aggs = { answered: { terms: { field: "_index", size: ANSWERING_MAX } } };
      const ask = { method: "POST", path: `/${path}/_search`, body: { size: 0, aggs }, also: [404] } as const;
      const found = await send(ask, signal);
      if (found.status === 404) return [];
      const hashes = answeringOf(found.body).map(async (index) => {
        const mapping = await get(`/${pathOf(index)}/_mapping`, signal);
        return mapping.status === 404 ? null : hashOf(index, mapping.body);
      });
      return Promise.all(hashes);
    },
    close: async () => {},
  };
}
