import { type FakeAnswer, type FakeRequest, type FakeServer, startFake } from "./fake-http.ts";

/** A collection of the fake. */
export interface FakeCollection {
  count: number;
  fields: readonly object[];
  metadata: Record<string, unknown> | null;
}

export interface FakeTypesense extends FakeServer {
  readonly collections: Map<string, FakeCollection>;
  readonly aliases: Map<string, string>;
}

export const API_KEY = "fake-typesense-key";

/**
 * Typesense 30 as its documentation describes it, as far as the driver asks: an alias answers wherever a collection's
 * name may stand, with the collection's own name; an upsert of an alias compares nothing; an alias outlives its
 * collection.
 */
export async function startFakeTypesense(): Promise<FakeTypesense> {
  const [collections, aliases] = [new Map<string, FakeCollection>(), new Map<string, string>()];
  const missing: FakeAnswer = { status: 404, body: { message: "Not Found" } };

  function answer({ method, parts, headers, body }: FakeRequest): FakeAnswer {
    if (headers["x-typesense-api-key"] !== API_KEY)
      return { status: 401, body: { message: "Forbidden - a valid `x-typesense-api-key` header must be sent." } };
    const [root, name = ""] = parts;
    if (root === "aliases") {
      if (method === "PUT") aliases.set(name, (body as { collection_name: string }).collection_name);
      const to = aliases.get(name);
      return to === undefined ? missing : { status: 200, body: { name, collection_name: to } };
    }
    const own = aliases.get(name) ?? name;
    const found = collections.get(own);
    if (root !== "collections" || method !== "GET" || found === undefined) return missing;
    const { count: num_documents, fields, metadata } = found;
    return {
      status: 200,
      body: { name: own, num_documents, fields, created_at: 1, ...(metadata === null ? {} : { metadata }) },
    };
  }
  return { ...(await startFake(answer)), collections, aliases };
}
