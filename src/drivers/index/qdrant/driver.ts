import type { IndexAliases } from "../../../ports/index-alias.ts";
import { httpSend } from "../../http-send.ts";
import type { IndexPlace } from "../index-driver.ts";
import { flipNamed, readNamed } from "../native-flip.ts";
import { factsOf, hashOf, NAME } from "./answers.ts";
import { qdrantNames } from "./names.ts";

/**
 * Collections of Qdrant behind its own aliases. The alias is moved by one `create_alias`, which replaces; a record of
 * ours in the collection `sluice_index_alias` keeps the epoch, claimed by a conditional update.
 */
export function qdrantAliases(place: IndexPlace): IndexAliases {
  const send = httpSend(NAME, place, (secret) => (secret === null ? {} : { "api-key": secret }));
  const names = qdrantNames(send);
  return {
    name: NAME,
    can: { alias: "native", compareAndSet: false, epochs: true, immediate: false },
    async describe(index, signal) {
      // Qdrant answers for an alias as if it were a collection.
      if ((await names.all(signal)).has(index)) return null;
      const path = `/collections/${encodeURIComponent(index)}`;
      const found = await send({ method: "GET", path, also: [404] }, signal);
      if (found.status === 404) return null;
      return factsOf(index, found.body, await names.count(index, signal));
    },
    readAlias: (alias, signal) => readNamed(names, alias, signal),
    flip: (flip, signal) => flipNamed(names, flip, signal),
    async readThrough(alias, signal) {
      if ((await names.target(alias, signal)) === null) return []; // Else a collection of that name would answer.
      const path = `/collections/${encodeURIComponent(alias)}`;
      const found = await send({ method: "GET", path, also: [404] }, signal);
      return found.status === 404 ? [] : [hashOf(found.body)];
    },
    close: async () => {},
  };
}
