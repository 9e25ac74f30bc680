import { z } from "zod";
import { journalAnswer, verdictsAnswer } from "./journal.ts";
import { keptVerdict, verdictAnswer } from "./verdict.ts";
import { shownPlan } from "./plan.ts";
import { probeReport } from "./probe-report.ts";
import { PROBLEM_STATUS, problemAnswer } from "./problem.ts";
import { type Content, refusalsOf, type Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { routingDocument } from "./routing-document.ts";
import { scopesWith } from "./scope.ts";
import { statusAnswer } from "./status.ts";
import { armWindow, shadowWindow, telemetryWindow } from "./window.ts";
import { access, armPlan, armTarget } from "./arm-plan.ts";
import { sentEvent } from "./events.ts";

/** Schemas that people know by a name, or that stand in several answers. */
const NAMED = {
  Status: statusAnswer,
  Verdict: verdictAnswer,
  KeptVerdict: keptVerdict,
  Journal: journalAnswer,
  Verdicts: verdictsAnswer,
  Plan: shownPlan,
  ArmPlan: armPlan,
  ArmTarget: armTarget,
  Access: access,
  ProbeReport: probeReport,
  RoutingDocument: routingDocument,
  TelemetryWindow: telemetryWindow,
  ArmWindow: armWindow,
  ShadowWindow: shadowWindow,
  Event: sentEvent,
  Problem: problemAnswer,
} as const;

type Json = Readonly<Record<string, unknown>>;
type Routes = Readonly<Record<string, Route>>;

const referTo = (name: string) => `#/components/schemas/${name}`;

/** Every schema that a route mentions, by name: the named ones, and those of one operation alone. */
function namesOf(routes: Routes): ReadonlyMap<z.ZodType, string> {
  const names = new Map<z.ZodType, string>(Object.entries(NAMED).map(([name, schema]) => [schema, name]));
  const add = (schema: z.ZodType | undefined, name: string) => {
    if (schema !== undefined && !names.has(schema)) names.set(schema, name);
  };
  for (const { id, body, answers } of Object.values(routes)) {
    const name = `${id.charAt(0).toUpperCase()}${id.slice(1)}`;
    add(body, `${name}Body`);
    for (const { json, events } of Object.values(answers)) {
      add(json, `${name}Answer`);
      add(events, `${name}Event`);
    }
  }
  return names;
}

/**
 * JSON Schemas (2020-12, which OpenAPI 3.1 speaks) by name. What is read and what is answered have one form, because
 * the contract fills in no defaults.
 */
function schemasOf(names: ReadonlyMap<z.ZodType, string>): Json {
  const registry = z.registry<{ readonly id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: "input", uri: referTo });
  const bare = (schema: object) => Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id");
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, Object.fromEntries(bare(schema))]));
}

function contentOf({ json, events, other }: Content, refer: (schema: z.ZodType) => Json): Json {
  return {
    ...(json === undefined ? {} : { "application/json": { schema: refer(json) } }),
    // OpenAPI 3.1 has no word for the events of a stream: the schema is that of the data of each.
    ...(events === undefined ? {} : { "text/event-stream": { schema: refer(events) } }),
    ...(other === undefined ? {} : { [other]: {} }),
  };
}

/** Refusals by status; the codes of each are in its description. */
function refusalsByStatus(route: Route, refer: (schema: z.ZodType) => Json): Json {
  const codes = refusalsOf(route);
  const statuses = [...new Set(codes.map((code) => PROBLEM_STATUS[code]))].sort((a, b) => a - b);
  const content = { "application/problem+json": { schema: refer(problemAnswer) } };
  const entries = statuses.map((status) => {
    const description = codes.filter((code) => PROBLEM_STATUS[code] === status).join(", ");
    return [String(status), { description, content }] as const;
  });
  return Object.fromEntries(entries);
}

function parametersOf(path: string, { isKeyed, headers = {}, query = {} }: Route): readonly Json[] {
  const text = { type: "string" };
  const named = (place: string, entries: Readonly<Record<string, string>>) =>
    Object.entries(entries).map(([name, description]) => ({ name, in: place, schema: text, description }));
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: text,
  }));
  const key = {
    name: "idempotency-key",
    in: "header",
    required: true,
    schema: { ...text, minLength: 1, maxLength: 255 },
  };
  const operator = named("header", { "x-sluice-operator": "who orders it, where the token is nobody's by name" });
  return [
    ...inPath,
    ...(isKeyed === true ? [key, ...operator] : []),
    ...named("header", headers),
    ...named("query", query),
  ];
}

function operationOf(path: string, route: Route, refer: (schema: z.ZodType) => Json): Json {
  const { id, says, right, body, answers } = route;
  const parameters = parametersOf(path, route);
  const answered = Object.entries(answers).map(([status, content]) => {
    const found = contentOf(content, refer);
    const hasBody = Object.keys(found).length > 0;
    return [status, { description: says, ...(hasBody ? { content: found } : {}) }] as const;
  });
  return {
    operationId: id,
    summary: says,
    description: right === null ? "needs no token" : `needs a token of scope ${scopesWith(right)}`,
    security: right === null ? [] : [{ token: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: { "application/json": { schema: refer(body) } } } }),
    responses: { ...Object.fromEntries(answered), ...refusalsByStatus(route, refer) },
  };
}

/** The controller's HTTP API as an OpenAPI 3.1 description. @source OpenAPI Specification 3.1.1 */
export function openapi(): Json {
  const names = namesOf(ROUTES);
  const refer = (schema: z.ZodType): Json => ({ $ref: referTo(names.get(schema) ?? "") });
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    const [method = "", path = ""] = name.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(path, route, refer) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Sluice controller",
      version: "v1",
      summary: "Rollouts of one or several services, their evidence, and the documents their data planes route by.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:4400", description: "where `sluice serve` listens by default" }],
    paths,
    components: { schemas: schemasOf(names), securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  };
}
