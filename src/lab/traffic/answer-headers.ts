import type { ServingArm } from "../../core/arm.ts";
import { HEADERS } from "../../core/routing/headers.ts";
import { CACHED_BY, RELEASE_ID } from "../service-headers.ts";
import type { DocumentNumber } from "./stickiness.ts";

/** Where an answer came from, as far as its headers say. */
export interface Provenance {
  /** Null for an answer that no arm gave, or that did not pass a gateway. */
  readonly arm: ServingArm | null;
  readonly document: DocumentNumber | null;
  readonly candidateBp: number | null;
  /** True when the gateway made the answer itself instead of passing one on. */
  readonly isGatewayMade: boolean;
  readonly isColdStart: boolean;
  /** Release that gave the answer, as a laboratory service says; a cutover swaps what the arms stand for. */
  readonly release: string | null;
  /** The answer came out of a cache, where another release than the one that answered had put it. */
  readonly isCrossed: boolean;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Reads the gateway's answer headers; a missing or unreadable one is null, never a guess. */
export function provenanceOf(headers: Headers): Provenance {
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string" ? value : undefined;
  };
  const arm = header(HEADERS.answeredBy);
  const [epoch, seq] = (header(HEADERS.document) ?? "").split(".").map(whole);
  const candidateBp = whole(header(HEADERS.split));
  return {
    arm: arm === "stable" || arm === "candidate" ? arm : null,
    document: typeof epoch === "number" && typeof seq === "number" ? { epoch, seq } : null,
    candidateBp: candidateBp !== null && candidateBp <= 10_000 ? candidateBp : null,
    isGatewayMade: header(HEADERS.origin) === "gateway",
    isColdStart: header("x-cold-start") === "1",
    release: header(RELEASE_ID) ?? null,
    isCrossed: header(CACHED_BY) !== undefined && header(CACHED_BY) !== header(RELEASE_ID),
  };
}
