import { DriverError } from "../../../ports/driver-error.ts";
import type { IndexAliases } from "../../../ports/index-alias.ts";
import { httpSend } from "../../http-send.ts";
import { splitEpochs } from "../epochs-elsewhere.ts";
import type { IndexPlace } from "../index-driver.ts";
import { flipNamed, type NamedStore, readNamed } from "../native-flip.ts";
import { factsOf, hashOf, NAME, nameOf, targetOf } from "./answers.ts";

/**
 * Collections of Typesense behind its own aliases. The alias is moved by one upsert, which compares nothing; the record
 * that keeps the epoch is claimed by one writer in Redis, which the address names.
 */
export function typesenseAliases(place: IndexPlace): IndexAliases {
  const { url, epochs } = splitEpochs(NAME, place.url);
  const keyOf = (secret: string | null) => (secret === null ? {} : { "x-typesense-api-key": secret });
  const send = httpSend(NAME, { ...place, url }, keyOf);

  /** What answers under a name, be it a collection's own or an alias; null: nothing. */
  async function collection(name: string, signal: AbortSignal): Promise<unknown> {
    const path = `/collections/${encodeURIComponent(name)}`;
    const { status, body } = await send({ method: "GET", path, also: [404] }, signal);
    return status === 404 ? null : body;
  }
  const own = async (name: string, signal: AbortSignal) => {
    const found = await collection(name, signal);
    return found === null || nameOf(found) !== name ? null : found; // Typesense answers for an alias, too.
  };
  const pathOf = (alias: string) => `/aliases/${encodeURIComponent(alias)}`;

  const names: NamedStore = {
    ...epochs.records,
    async target(alias, signal) {
      const { status, body } = await send({ method: "GET", path: pathOf(alias), also: [404] }, signal);
      return status === 404 ? null : targetOf(body);
    },
    hasIndex: async (index, signal) => (await own(index, signal)) !== null,
    async move(alias, _from, to, signal) {
      const { body } = await send({ method: "PUT", path: pathOf(alias), body: { collection_name: to } }, signal);
      if (targetOf(body) === to) return true;
      throw new DriverError("rejected", "never", `${NAME}: ${alias} was not pointed to ${to}, and no reason was given`);
    },
  };
  return {
    name: NAME,
    can: { alias: "native", compareAndSet: false, epochs: true, immediate: false },
    async describe(index, signal) {
      const found = await own(index, signal);
      return found === null ? null : factsOf(found);
    },
    readAlias: (alias, signal) => readNamed(names, alias, signal),
    flip: (flip, signal) => flipNamed(names, flip, signal),
    async readThrough(alias, signal) {
      if ((await names.target(alias, signal)) === null) return []; // Else a collection of that name would answer.
      const found = await collection(alias, signal);
      return found === null ? [] : [hashOf(found)]; // Null: the alias points to a collection that was deleted.
    },
    close: () => epochs.close(),
  };
}
