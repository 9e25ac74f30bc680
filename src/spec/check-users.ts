import { didYouMean } from "../core/did-you-mean.ts";
import { segmentErrors } from "../core/judge/errors/segment-errors.ts";
import type { Problem } from "../core/problem.ts";
import { mayNameUnit } from "../core/routing/headers.ts";
import { type RolloutDocument, stickyCookie } from "./rollout-schema.ts";
import type { Report } from "./report.ts";

/** A dialog lasts longer. */
const STICKY_LEAST_MS = 60_000;

/** Segments have names of their own and are read from fields that reach the service; a gate for none is a mistake. */
export function checkSegments({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const segments = spec.segments ?? [];
  const names = segments.map(({ name }) => name);
  const places = segments.flatMap(({ name, header }, index) => {
    const at = ["spec", "segments", index] as const;
    if (names.indexOf(name) !== index) return [problem([...at, "name"], "E133", `a second segment is named "${name}"`)];
    if (header === undefined || mayNameUnit(header)) return [];
    const message = `"${header}" is a header the gateway keeps for itself`;
    return [problem([...at, "header"], "E133", message, "name a header that your clients or your proxy set")];
  });
  const asked = spec.gates.flatMap(({ gate }, index) =>
    gate === segmentErrors.name && segments.length === 0
      ? [problem(["spec", "gates", index], "E133", `${gate} has no segments to tell apart`, "add spec.segments")]
      : [],
  );
  return [...places, ...asked];
}

export function checkIdentity({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const { stickyBy } = spec.route;
  const trusted = spec.route.trustedHeaders.map((header) => header.toLowerCase());
  return stickyBy.flatMap((one, index) => {
    const at = ["spec", "route", "stickyBy", index] as const;
    if ("cookie" in one) {
      if (index === stickyBy.length - 1) return [];
      const message = `cookie "${one.cookie}" is not the last of stickyBy; only who has no header is a visitor`;
      return [problem([...at, "cookie"], "E131", message, "name one cookie at most, after all headers")];
    }
    if (trusted.includes(one.header.toLowerCase())) return [];
    const message = `header "${one.header}" is not in trustedHeaders; anybody could choose an arm by sending it`;
    const meant = didYouMean(one.header, spec.route.trustedHeaders);
    const fix = `${meant === null ? "" : `did you mean ${meant}? or `}add "${one.header}" to spec.route.trustedHeaders when your own proxy sets it after authentication`;
    return [problem([...at, "header"], "E112", message, fix)];
  });
}

/** A duration that nothing reads would be a promise that nobody keeps. */
export function checkStickyFor({ spec }: RolloutDocument, problem: Report): readonly Problem[] {
  const { route } = spec;
  if (route.stickyFor === undefined) return [];
  const at = ["spec", "route", "stickyFor"] as const;
  if (stickyCookie(route) === null) {
    const message =
      "stickyFor is the lifetime of the visitors' cookie, and stickyBy names none; the hash keeps users for the whole rollout";
    const fix = "remove stickyFor, or add `{ cookie: NAME }` to stickyBy for visitors without a header";
    return [problem(at, "E132", message, fix)];
  }
  if (route.stickyFor >= STICKY_LEAST_MS) return [];
  return [problem(at, "E132", "stickyFor is under a minute, so visitors would change arms in mid-dialog", "write 24h")];
}
