import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { openapi } from "./openapi.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";

/**
 * Objects that may have more than their schema says, by a member that only they have: the description itself, what a
 * data plane says of itself, and why it did not take a document.
 */
const OPEN = ["openapi", "nonce", "reason"];

/** Member names of every object schema inside that lets others in. */
function openObjects(schema: unknown): readonly (readonly string[])[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { type, properties, additionalProperties } = schema as Readonly<Record<string, unknown>>;
  const isOpen = type === "object" && properties !== undefined && additionalProperties !== false;
  return [...(isOpen ? [Object.keys(properties as object)] : []), ...Object.values(schema).flatMap(openObjects)];
}

describe("the OpenAPI description", () => {
  it("is valid OpenAPI 3.1, and every reference in it leads somewhere", async () => {
    const validator = new Validator();
    const copy = structuredClone(openapi()) as Record<string, unknown>;
    expect(await validator.validate(copy)).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    const { schemas } = (openapi()["components"] ?? {}) as { schemas: Record<string, unknown> };
    const references = [...JSON.stringify(openapi()).matchAll(/"#\/components\/schemas\/(\w*)"/g)].map(
      ([, name]) => name,
    );
    expect(references.length).toBeGreaterThan(50);
    expect([...new Set(references)].filter((name) => schemas[name ?? ""] === undefined)).toEqual([]);
  });

  it("would notice: a parameter without a place and an answer without a description are refused", async () => {
    const copy = structuredClone(openapi()) as { paths: Record<string, { get: { responses: object } }> };
    const { get } = copy.paths["/healthz"] ?? {};
    Object.assign(get?.responses ?? {}, { 200: {} });
    expect((await new Validator().validate(copy as never)).valid).toBe(false);
  });

  it("has one operation for each route, by a name of its own, with every code it may refuse with", () => {
    const ids = Object.values<Route>(ROUTES).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const { paths } = openapi() as {
      paths: Record<string, Record<string, { operationId: string; responses: object }>>;
    };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual([...ids].sort());
    const { responses } = paths["/v1/rollouts/{id}/promote"]?.["post"] ?? {};
    expect(Object.keys(responses ?? {})).toEqual(["200", "400", "401", "403", "404", "409", "413", "422", "500"]);
  });

  it("lets no object have a field it does not name, but where a later version may say more", () => {
    const open = new Map(openObjects(openapi()["components"]).map((names) => [names.join(), names]));
    expect([...open.values()].map((names) => OPEN.filter((member) => names.includes(member))).sort()).toEqual(
      OPEN.map((member) => [member]).sort(),
    );
  });
});
