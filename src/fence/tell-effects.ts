import { HEADERS } from "../core/routing/headers.ts";

/** What the fence knows of one delivery. Names as in wide events. */
export interface Effects {
  readonly applied: 0 | 1;
  readonly repeat: 0 | 1;
  readonly suppressed: 0 | 1;
  readonly duplicate: 0 | 1;
}

export const APPLIED: Effects = { applied: 1, repeat: 0, suppressed: 0, duplicate: 0 };
export const NOT_APPLIED: Effects = { applied: 0, repeat: 0, suppressed: 0, duplicate: 0 };
export const SUPPRESSED: Effects = { applied: 0, repeat: 1, suppressed: 1, duplicate: 0 };
/** The work ran and another attempt had taken its place: without an effect key nothing refused the second run. */
export const DUPLICATED: Effects = { applied: 0, repeat: 1, suppressed: 0, duplicate: 1 };

/**
 * Tells the data plane before this service what became of a delivery, beside what the handler says of its answer, so
 * that gates count it (GQ-29, ID-9). A request that came through no data plane is told nothing.
 */
export function tellEffects(request: Request, response: Response, effects: Effects): Response {
  if (!request.headers.has(HEADERS.cacheNamespace)) return response;
  const told = JSON.stringify({ ...saidBy(response), effects });
  try {
    response.headers.set(HEADERS.event, told);
    return response;
  } catch {
    const copy = new Response(response.body, response); // The platform's headers may be immutable.
    copy.headers.set(HEADERS.event, told);
    return copy;
  }
}

function saidBy(response: Response): object {
  try {
    const said: unknown = JSON.parse(response.headers.get(HEADERS.event) ?? "{}");
    return typeof said === "object" && said !== null && !Array.isArray(said) ? said : {};
  } catch {
    return {};
  }
}
