import { answerTo } from "../core/rollout/command.ts";
import type { RolloutEvent } from "../core/rollout/event.ts";
import { isFinal, type Rollout } from "../core/rollout/rollout.ts";
import { type UnprovenGate, unprovenGates } from "../core/rollout/unproven.ts";
import type { ServicePointer } from "../core/service/pointer.ts";
import type { EpochMs } from "../core/unit.ts";
import type { OperatorAnswer, StoredRollout } from "../ports/controller-store.ts";
import { type Asked, despiteText, doneText, insteadText } from "./command-text.ts";
import { busyWith, type DocumentInForce, supersededBy } from "./precedence.ts";
import type { RolloutActor } from "./rollout-actor.ts";

/** What a person is told. `done`: this command has changed the rollout, durably, to the one that stands here. */
export type Commanded =
  | { readonly kind: "done" | "held"; readonly rollout: Rollout; readonly text: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "no-effect" | "superseded"; readonly reason: string };

export type AnsweringCommand = (rollout: Rollout, text: string) => OperatorAnswer;

/** What an answer depends on beside the rollout itself. */
export interface Surroundings {
  now(): EpochMs;
  current(service: string): DocumentInForce;
  rollout(rolloutId: string): StoredRollout | null;
  rollouts(): readonly StoredRollout[];
  pointer(service: string): ServicePointer | null;
  /** Why nothing of a service that is over may begin now, beside its rollouts; null when it may. */
  busy(service: string, rolloutId: string): string | null;
}

type Standing =
  | Exclude<Commanded, { kind: "done" }>
  | { readonly kind: "acts"; readonly unproven: readonly UnprovenGate[] };

/**
 * Carries a person's command out. What it comes to is judged when its turn has come, in the state which the commands
 * before it left: of two that cross, each is told what is true of itself.
 * @param answering the answer that becomes durable together with what it tells of
 */
export async function command(
  actor: RolloutActor,
  asked: Asked,
  around: Surroundings,
  answering?: AnsweringCommand,
): Promise<Commanded> {
  const { rolloutId } = actor.rollout.plan;
  const late = `${rolloutId} was taken up anew at this moment; ask again`;
  let said: Commanded = { kind: "no-effect", reason: late };
  await actor.takeInState((rollout) => {
    const standing = standingOf(rollout, asked, around);
    if (standing.kind !== "acts") {
      said = standing;
      return null;
    }
    const { despite: _, ...rest } = asked;
    const event: RolloutEvent = { kind: "commanded", at: around.now(), ...rest };
    const answer = (after: Rollout) => {
      const text = doneText(asked.command, rollout, after, standing.unproven);
      said = { kind: "done", rollout: after, text };
      return answering?.(after, text);
    };
    return { event, answer };
  });
  return said;
}

/** What a command comes to in a state; nothing is begun. */
function standingOf(rollout: Rollout, { command: asked, despite }: Asked, around: Surroundings): Standing {
  const { service, rolloutId } = rollout.plan;
  const standing = answerTo(rollout, asked);
  const isUndone = rollout.phase === "rolled-back" || rollout.phase === "aborted";
  if (standing.kind === "held" && isUndone) return { kind: "held", rollout, text: standing.text };
  const later = supersededBy(rollout, around.current(service), (id) => around.rollout(id), around.pointer(service));
  const isBegun = standing.kind === "acts" && isFinal(rollout); // What runs goes on, and back, as it will.
  const busy = standing.kind === "acts" ? busyWith(rollout, around.rollouts()) : null;
  const lost = later ?? busy ?? (isBegun ? around.busy(service, rolloutId) : null);
  if (lost !== null) return { kind: "superseded", reason: lost };
  if (standing.kind === "held") return { kind: "held", rollout, text: standing.text };
  if (standing.kind === "refused") return { kind: "no-effect", reason: insteadText(rolloutId, standing) };
  const unproven = asked === "promote" ? unprovenGates(rollout) : [];
  if (unproven.length > 0 && despite !== true) return { kind: "no-effect", reason: despiteText(rollout, unproven) };
  return { kind: "acts", unproven };
}
