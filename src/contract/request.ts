import type { z } from "zod";
import type { RouteName, ROUTES } from "./routes.ts";
import type { Wire } from "./wire.ts";

type Method = "GET" | "POST";

/** What a route answers as JSON. */
type JsonOf<Name extends RouteName> = {
  [Status in keyof (typeof ROUTES)[Name]["answers"]]: (typeof ROUTES)[Name]["answers"][Status] extends {
    readonly json: infer Schema extends z.ZodType;
  }
    ? Wire<Schema>
    : never;
}[keyof (typeof ROUTES)[Name]["answers"]];

type NameOf<Of extends Method, Path extends string> = Extract<RouteName, `${Of} ${Path}`>;

/** Paths of one method, as the contract writes them: `/v1/rollouts/{id}`. */
export type PathOf<Of extends Method> = RouteName extends infer Name
  ? Name extends `${Of} ${infer Path}`
    ? Path
    : never
  : never;

/** What a request is answered with when it is not refused. */
export type AnswerOf<Of extends Method, Path extends PathOf<Of>> = JsonOf<NameOf<Of, Path>>;

/** What a change carries; nothing where the contract names no body. */
export type BodyOf<Path extends PathOf<"POST">> = (typeof ROUTES)[NameOf<"POST", Path>] extends {
  readonly body: infer Schema extends z.ZodType;
}
  ? Readonly<z.input<Schema>>
  : Readonly<Record<string, never>>;

type PlaceIn<Path extends string> = Path extends `${string}{${infer Place}}${infer Rest}`
  ? Place | PlaceIn<Rest>
  : never;

/** What stands in the places of a path, by name. */
export type Places<Path extends string> = Readonly<Record<PlaceIn<Path>, string>>;

/** A path with its places filled in: `/v1/rollouts/{id}` of `a/b` is `/v1/rollouts/a%2Fb`. */
export function filledPath(path: string, places: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, place: string) => encodeURIComponent(places[place] ?? ""));
}
