import type { PinDifference, PinName } from "./schema-lock.ts";

/** The body of a refusal, for people and for routers. @source RFC 9457 */
export interface SchemaProblem {
  /** `urn:sluice:problem:` and a `PinProblem` from a service, or `no-matching-revision` from a router. */
  readonly type: string;
  readonly title: string;
  /** 400: a pin is missing or malformed. 409: the pins are fine and belong to another revision. */
  readonly status: 400 | 409;
  readonly detail: string;
  /** Each pin that does not fit: what the request wanted and what is served. */
  readonly differences: readonly PinDifference[];
  /**
   * Waiting does not help, so there is no `Retry-After`; `route-to-match`: send it to a revision that serves `pins`.
   */
  readonly retry:
    | { readonly action: "correct-pins" }
    | { readonly action: "route-to-match"; readonly pins: { readonly [name in PinName]?: string } };
}

/**
 * Words the refusal of a request whose pins do not fit. Pins that nobody could serve come first.
 * @param differences at least one
 * @param mismatch    names a 409; default: the first difference does
 */
export function schemaProblem(differences: readonly PinDifference[], mismatch?: string): SchemaProblem {
  const unusable = differences.find(({ problem }) => problem.startsWith("pin-"));
  const title = "The pins of the request are not served here";
  const type = `urn:sluice:problem:${unusable?.problem ?? mismatch ?? differences[0]?.problem}`;
  if (unusable !== undefined) {
    const detail = `${unusable.field} is missing or malformed. Send schemaRev as sc-<int>, the other pins as visible ASCII.`;
    return { type, title, status: 400, detail, differences, retry: { action: "correct-pins" } };
  }
  const pins = Object.fromEntries(differences.map(({ field, wanted }) => [field, wanted as string]));
  const detail = `Route the request to a revision that serves ${Object.values(pins).join(" and ")}.`;
  return { type, title, status: 409, detail, differences, retry: { action: "route-to-match", pins } };
}
