import { type FakeAnswer, type FakeRequest, type FakeServer, startFake } from "./fake-http.ts";

/** An index of the fake. */
export interface FakeIndex {
  meta: Record<string, unknown>;
  properties: Record<string, unknown>;
  count: number;
  health: string;
  failedShards: number;
}

export interface FakeOpenSearch extends FakeServer {
  readonly indexes: Map<string, FakeIndex>;
  /** Members of each alias. */
  readonly aliases: Map<string, Set<string>>;
  /** Runs just before aliases are changed, as what somebody else does in between. */
  readonly between: { run: () => void };
}

export const SECRET = "admin:fake-password";

interface Action {
  readonly index: string;
  readonly alias: string;
  readonly must_exist?: boolean;
}

export function anIndex(more: Partial<FakeIndex> = {}): FakeIndex {
  return { meta: {}, properties: {}, count: 1, health: "yellow", failedShards: 0, ...more };
}

/**
 * OpenSearch 2 as its documentation describes it, as far as the driver asks: one step changes aliases all or not at
 * all, `add` alone makes a second member, an alias answers wherever an index does, and writes compare sequence numbers.
 */
export async function startFakeOpenSearch(): Promise<FakeOpenSearch> {
  const [indexes, aliases] = [new Map<string, FakeIndex>(), new Map<string, Set<string>>()];
  const documents = new Map<string, { seq: number; source: unknown }>();
  const between = { run: () => {} };
  let seq = 0;
  const ok = (body: unknown, status = 200): FakeAnswer => ({ status, body });
  const error = (status: number, type: string): FakeAnswer => ok({ error: { type }, status }, status);
  const membersOf = (name: string) => (indexes.has(name) ? [name] : [...(aliases.get(name) ?? [])]);

  function changeAliases(body: unknown): FakeAnswer {
    const { actions } = body as { actions: { add?: Action; remove?: Action }[] };
    const next = new Map([...aliases].map(([alias, members]) => [alias, new Set(members)]));
    for (const { add, remove } of actions) {
      const one = (add ?? remove) as Action;
      if (!indexes.has(one.index)) return error(404, "index_not_found_exception");
      const members = next.get(one.alias) ?? new Set<string>();
      if (add !== undefined) members.add(one.index);
      else if (!members.delete(one.index) && one.must_exist === true) return error(404, "aliases_not_found_exception");
      next.set(one.alias, members);
    }
    aliases.clear();
    for (const [alias, members] of next) if (members.size > 0) aliases.set(alias, members);
    return ok({ acknowledged: true });
  }

  function record(method: string, kind: string, id: string, search: URLSearchParams, source: unknown): FakeAnswer {
    const found = documents.get(id);
    if (method === "GET") {
      if (documents.size === 0) return error(404, "index_not_found_exception");
      if (found === undefined) return ok({ _id: id, found: false }, 404);
      return ok({ _id: id, _seq_no: found.seq, _primary_term: 1, found: true, _source: found.source });
    }
    const isExpected =
      kind === "_create" ? found === undefined : search.get("if_seq_no") === String(found?.seq) && found !== undefined;
    if (!isExpected) return error(409, "version_conflict_engine_exception");
    documents.set(id, { seq: ++seq, source });
    return ok({ _id: id, _seq_no: seq, result: kind === "_create" ? "created" : "updated" }, 201);
  }

  function ofIndex(name: string, kind: string | undefined): FakeAnswer {
    const members = membersOf(name);
    if (members.length === 0) return error(404, "index_not_found_exception");
    const all = members.map((member) => [member, indexes.get(member) as FakeIndex] as const);
    if (kind === "_mapping") {
      return ok(
        Object.fromEntries(all.map(([key, { meta, properties }]) => [key, { mappings: { _meta: meta, properties } }])),
      );
    }
    if (kind === "_count") {
      const failed = all.reduce((sum, [, one]) => sum + one.failedShards, 0);
      return ok({ count: all.reduce((sum, [, one]) => sum + one.count, 0), _shards: { total: 1, failed } });
    }
    const buckets = all.filter(([, { count }]) => count > 0).map(([key, { count }]) => ({ key, doc_count: count }));
    return kind === "_search" ? ok({ aggregations: { answered: { buckets } } }) : error(400, "illegal_argument");
  }

  function answer({ method, parts, search, headers, body }: FakeRequest): FakeAnswer {
    if (headers.authorization !== `Basic ${Buffer.from(SECRET).toString("base64")}`) return ok("Unauthorized", 401);
    const [first = "", second = "", third = ""] = parts;
    if (first === "_aliases") {
      between.run();
      return changeAliases(body);
    }
    if (first === "_alias") {
      const members = [...(aliases.get(second) ?? [])].map((member) => [member, { aliases: { [second]: {} } }]);
      return members.length === 0 ? error(404, "alias missing") : ok(Object.fromEntries(members));
    }
    if (first === "_cluster") return ok({ status: indexes.get(third)?.health ?? "green" });
    if (first === "sluice-index-alias") return record(method, second, third, search, body);
    return ofIndex(first, second);
  }

  return { ...(await startFake(answer)), indexes, aliases, between };
}
