import type { GivenAnswer, LabAnswer, LabEngine } from "../engine.ts";
import type { StoreClient } from "./table-index.ts";

export interface SharedStore {
  readonly client: StoreClient;
  /** The public name that every request is answered through. */
  readonly alias: string;
  /** The release as one index of the store would have it answer; loaded once a name. */
  readonly load: (index: string) => Promise<LabEngine>;
}

interface Followed {
  readonly index_name: string;
  readonly written_by: string | null;
  readonly answer: LabAnswer | null;
}

/** Both in one statement, and how often an entry was asked for, so that it can be told which are asked most. */
const FOLLOW = `with entry as (
    update sluice_answer_cache set asked = asked + 1 where key = $2 returning written_by, answer)
  select index_name, written_by, answer from sluice_index_alias left join entry on true where alias = $1`;
const KEEP = `insert into sluice_answer_cache (key, written_by, question, answer) values ($1, $2, $3, $4)
  on conflict (key) do nothing`;

/**
 * A release whose users are answered out of a shared cache, under the namespace that the data plane gives it, and else
 * through the public name of the index, which is looked up with every request. A request without a namespace, as a
 * probe is, asks the release itself: its own index, past the cache.
 */
export function sharedEngine(own: LabEngine, { client, alias, load }: SharedStore): LabEngine {
  const loaded = new Map<string, Promise<LabEngine>>();
  const through = (index: string): Promise<LabEngine> => {
    const found = loaded.get(index) ?? load(index);
    loaded.set(index, found);
    found.catch(() => loaded.delete(index)); // It may be there for the next request.
    return found;
  };
  const release = own.manifest.release_id;
  return {
    ...own,
    async answer(question, k, unsteadySeed, namespace): Promise<GivenAnswer> {
      if (namespace === null) return own.answer(question, k, unsteadySeed, null);
      const key = namespace + question;
      const [followed] = (await client.query<Followed>(FOLLOW, [alias, key])).rows;
      if (followed === undefined) throw new Error(`there is no public name ${alias} in the store`);
      if (followed.answer !== null) return { answer: followed.answer, cachedBy: followed.written_by ?? "unknown" };
      const engine = await through(followed.index_name);
      const given = await engine.answer(question, k, unsteadySeed, null);
      await client.query(KEEP, [key, release, question, JSON.stringify(given.answer)]);
      return given;
    },
  };
}
