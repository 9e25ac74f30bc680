import { type FakeAnswer, type FakeRequest, type FakeServer, startFake } from "./fake-http.ts";

/** A collection of the fake. */
export interface FakeCollection {
  status: string;
  optimizer: unknown;
  queue: number;
  vectors: unknown;
  metadata: Record<string, unknown>;
  count: number;
  readonly points: Map<string, Record<string, unknown>>;
}

export interface FakeQdrant extends FakeServer {
  readonly collections: Map<string, FakeCollection>;
  readonly aliases: Map<string, string>;
}

export const API_KEY = "fake-qdrant-key";

export function aCollection(more: Partial<FakeCollection> = {}): FakeCollection {
  const vectors = { size: 3, distance: "Cosine" };
  const ready = { status: "green", optimizer: "ok", queue: 0, metadata: {}, count: 0 };
  return { ...ready, vectors, points: new Map(), ...more };
}

type Filter = { must?: { key: string; match: { value: unknown } }[]; must_not?: { has_id: string[] }[] };

/**
 * Qdrant 1.17 as its OpenAPI document describes it, as far as the driver asks: a collection answers under its aliases
 * too, `create_alias` replaces without asking, and a conditional update that matches nothing is answered with success.
 */
export async function startFakeQdrant(): Promise<FakeQdrant> {
  const [collections, aliases] = [new Map<string, FakeCollection>(), new Map<string, string>()];
  const done = (result: unknown): FakeAnswer => ({ status: 200, body: { result, status: "ok", time: 0 } });
  const error = (status: number, text: string): FakeAnswer => ({ status, body: { status: { error: text }, time: 0 } });
  const named = (name: string) => collections.get(aliases.get(name) ?? name);

  function changeAliases(body: unknown): FakeAnswer {
    const { actions } = body as { actions: { create_alias: { collection_name: string; alias_name: string } }[] };
    for (const { create_alias: one } of actions) {
      if (!collections.has(one.collection_name)) return error(404, `Collection ${one.collection_name} doesn't exist`);
      if (collections.has(one.alias_name)) return error(409, `Collection ${one.alias_name} already exists`);
      aliases.set(one.alias_name, one.collection_name);
    }
    return done(true);
  }

  function upsert({ points }: FakeCollection, body: unknown): FakeAnswer {
    const { points: given, update_filter: filter } = body as {
      points: { id: string; payload: Record<string, unknown> }[];
      update_filter?: Filter;
    };
    for (const { id, payload } of given) {
      const found = points.get(id);
      const isFit = (one: Record<string, unknown>) =>
        (filter?.must ?? []).every(({ key, match }) => one[key] === match.value) &&
        (filter?.must_not ?? []).every(({ has_id: ids }) => !ids.includes(id));
      if (found === undefined || isFit(found)) points.set(id, payload); // A new point is inserted whatever the filter.
    }
    return done({ operation_id: 1, status: "completed" });
  }

  function describe(name: string): FakeAnswer {
    const found = named(name);
    if (found === undefined) return error(404, `Collection ${name} doesn't exist`);
    const { status, optimizer: optimizer_status, queue, vectors, metadata } = found;
    const config = { params: { vectors }, metadata };
    return done({ status, optimizer_status, update_queue: { length: queue }, config, points_count: 0 });
  }

  function answer({ method, parts, headers, body }: FakeRequest): FakeAnswer {
    if (headers["api-key"] !== API_KEY) return error(401, "Must provide an API key");
    const [root, name = "", kind, id] = parts;
    const asked = `${method} ${[root, name === "" ? "" : "*", kind, id === undefined ? "" : "*"].filter((part) => part).join("/")}`;
    if (asked === "GET aliases") {
      const list = [...aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name }));
      return done({ aliases: list });
    }
    if (method === "POST" && name === "aliases") return changeAliases(body);
    if (asked === "GET collections/*") return describe(name);
    if (asked === "PUT collections/*") {
      if (collections.has(name)) return error(409, `Collection ${name} already exists`);
      collections.set(name, aCollection());
      return done(true);
    }
    const collection = named(name);
    if (collection === undefined) return error(404, `Collection ${name} doesn't exist`);
    if (asked === "POST collections/*/points/*" && id === "count") return done({ count: collection.count });
    if (asked === "PUT collections/*/points") return upsert(collection, body);
    const payload = collection.points.get(id ?? "");
    if (asked === "GET collections/*/points/*" && payload !== undefined) return done({ id, payload });
    return error(404, "Not found");
  }

  return { ...(await startFake(answer)), collections, aliases };
}
