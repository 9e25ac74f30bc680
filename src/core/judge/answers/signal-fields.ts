import { choice, ON_NO_DATA } from "../fields.ts";

/**
 * What proven harm does. Cost, wording and taste are for a person to weigh, so a signal holds and asks; a document that
 * knows better says `stop`. @source requirements.md X-11, hard and soft stops
 */
export const ON_HARM = choice(["hold", "stop"], {
  says: "what proven harm does: the share is held and a person is asked, or the candidate is stopped",
  fallback: "hold",
  stricter: ["hold", "stop"],
});

/** A signal that nobody tells has no part in the decision, and status says so. */
export const SIGNAL_ON_NO_DATA = { ...ON_NO_DATA, fallback: "skip" } as const;

/** What a person may do about harm that does not stop by itself. */
export const ASKS = "a person: look at such answers of both arms, then promote --despite or abort";

type OnNoData = "hold" | "skip";

/** What `plan` says of a signal beside what can be seen. */
export function untilTold(from: string, detectable: string, onNoData: OnNoData): string {
  return `${detectable}; ${onNoData === "skip" ? "not watched" : "no data, so it holds,"} until ${from} tells of it`;
}
