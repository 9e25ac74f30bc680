import type { ServiceEvent } from "../core/window/service-event.ts";
import { type SeenAnswer, toldOf } from "../core/window/told.ts";
import type { ErrorClass } from "../core/window/window.ts";
import type { Assignment, ExchangeContext } from "./exchange-context.ts";

/** One answer as an exchange saw it, once it was done with it. */
export interface EndedAnswer {
  readonly status: number;
  readonly errorClass: ErrorClass | null;
  readonly isCold: boolean;
  /** The arm's headers arrived, and the answer is not one of the gateway's own. */
  readonly isOfArm: boolean;
  readonly isStream: boolean;
  /** The client has all of it. */
  readonly isWhole: boolean;
  /** The arm failed, or the gateway cut the answer: what the client did then says nothing. */
  readonly isBroken: boolean;
  readonly ttfbMs: number;
  /** To the first piece of the body; 0 where there was none. */
  readonly tusableMs: number;
  readonly tfinalMs: number;
}

/** What the gateway knows of an answer without the service's word. */
function seenOf({ status, isOfArm, isStream, isWhole, isBroken, tusableMs }: EndedAnswer, method: string): SeenAnswer {
  const isRight = isOfArm && status === 200 && method !== "HEAD";
  return {
    isEmpty: isRight && isWhole ? tusableMs === 0 : null,
    isAbandoned: isRight && isStream && !isBroken ? !isWhole : null,
    firstTokenMs: isRight && isStream && tusableMs > 0 ? tusableMs : null,
  };
}

/**
 * Counts what an answer was told and seen to be, where a gate asks for it, and writes its event, where there is a log.
 * @param isEvidence whether the request itself was counted as evidence
 */
export function noteAnswer(
  { recorder, events }: ExchangeContext,
  { plan, place, hash, isProbe, edgePop, method }: Assignment,
  ended: EndedAnswer,
  said: ServiceEvent | null,
  isEvidence: boolean,
): void {
  const seen = seenOf(ended, method);
  if (plan.asksSignals && isEvidence) recorder.tell(place, hash, toldOf(said, seen, plan.releaseId));
  if (events === null) return;
  const { isWhole, errorClass, isCold, ttfbMs, tusableMs, tfinalMs } = ended;
  const status = isWhole || errorClass !== null ? ended.status : 499;
  events.add({ plan, hash, isProbe, edgePop, said, seen, isCold, status, errorClass, ttfbMs, tusableMs, tfinalMs });
}
