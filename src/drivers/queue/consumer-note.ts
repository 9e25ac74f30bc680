import { DriverError } from "../../ports/driver-error.ts";

/** What a start or a stop may find noted of its consumer: it took hold now, the same one did before, or a later one. */
export type NoteAnswer = { readonly kind: "noted" | "same" } | { readonly kind: "late"; readonly epoch: number };

/** @throws DriverError `stale-token` when another epoch was there first, or the same one has started the consumer */
export function checkNote(driver: string, what: "start" | "stop", epoch: number, answer: NoteAnswer): void {
  if (answer.kind !== "late") return;
  const found = `the consumer was moved by epoch ${answer.epoch} already`;
  throw new DriverError("stale-token", "never", `${driver}: a ${what} of epoch ${epoch} is too late: ${found}`);
}
