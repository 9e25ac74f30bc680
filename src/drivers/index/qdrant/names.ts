import { sha256Hex } from "../../../core/release/merkle.ts";
import { DriverError } from "../../../ports/driver-error.ts";
import type { AliasRecord } from "../flip-rule.ts";
import type { HttpSend } from "../../http-send.ts";
import type { NamedStore } from "../native-flip.ts";
import { aliasesOf, countOf, NAME, recordOf } from "./answers.ts";

/** Collection of our records, one point a name; made with the first. */
const RECORDS = "/collections/sluice_index_alias";

/** Points are told apart by UUIDs; that of a name is made of its hash. */
function pointId(alias: string): string {
  const hex = sha256Hex(`sluice index alias ${alias}`);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join("-"); // Version 8 is for what makes its own. @source RFC 9562 §5.8
}

interface QdrantNames extends NamedStore {
  all(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  count(index: string, signal: AbortSignal): Promise<number>;
}

/** The names of a server, and our records of them. */
export function qdrantNames(send: HttpSend): QdrantNames {
  const all = async (signal: AbortSignal) => aliasesOf((await send({ method: "GET", path: "/aliases" }, signal)).body);

  async function makeRecords(signal: AbortSignal): Promise<void> {
    const body = { vectors: { size: 1, distance: "Dot" } };
    // 409: another writer was faster.
    await send({ method: "PUT", path: RECORDS, body, also: [409] }, signal);
  }

  async function read(alias: string, signal: AbortSignal): Promise<AliasRecord | null> {
    // 404: no such point, or no such collection yet. Of a cluster, a majority of replicas answers.
    const path = `${RECORDS}/points/${pointId(alias)}?consistency=majority`;
    const { status, body } = await send({ method: "GET", path, also: [404] }, signal);
    return status === 404 ? null : recordOf(body);
  }

  return {
    all,
    read,
    target: async (alias, signal) => (await all(signal)).get(alias) ?? null,
    async hasIndex(index, signal) {
      const path = `/collections/${encodeURIComponent(index)}`;
      const { status } = await send({ method: "GET", path, also: [404] }, signal);
      return status !== 404 && !(await all(signal)).has(index);
    },
    async count(index, signal) {
      const path = `/collections/${encodeURIComponent(index)}/points/count`;
      return countOf((await send({ method: "POST", path, body: { exact: true } }, signal)).body);
    },
    /** @source Qdrant documentation, "Conditional updates" (1.16): what does not match is left, and nothing says so */
    async replace(alias, was, next, signal) {
      if (was === null) await makeRecords(signal);
      const id = pointId(alias);
      const isAsRead = [
        { key: "epoch", match: { value: was?.epoch } },
        { key: "index", match: { value: was?.index } },
      ];
      const filter = was === null ? { must_not: [{ has_id: [id] }] } : { must: isAsRead };
      const body = { points: [{ id, vector: [1], payload: { ...next, alias } }], update_filter: filter };
      await send({ method: "PUT", path: `${RECORDS}/points?wait=true&ordering=strong`, body }, signal);
      const now = await read(alias, signal);
      return now !== null && now.epoch === next.epoch && now.index === next.index;
    },
    async move(alias, _from, to, signal) {
      // Never `delete_alias` before it: actions are saved one by one, and readers would meet no name between.
      const actions = [{ create_alias: { collection_name: to, alias_name: alias } }];
      const { body } = await send({ method: "POST", path: "/collections/aliases", body: { actions } }, signal);
      if ((body as { result?: unknown } | null)?.result === true) return true;
      throw new DriverError("rejected", "never", `${NAME}: ${alias} was not pointed to ${to}, and no reason was given`);
    },
  };
}
