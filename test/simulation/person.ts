import { isFinal } from "../../src/core/rollout/rollout.ts";
import type { RolloutPlan } from "../../src/core/stage/plan.ts";
import type { Controller } from "../../src/controller/controller.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Fail, JournalLaws } from "./journal-laws.ts";
import type { Order } from "./scenario.ts";

export interface PersonWorld {
  readonly clock: Clock;
  readonly plan: RolloutPlan;
  readonly journal: JournalLaws;
  readonly fail: Fail;
  note(text: string): void;
  /** The controller that answers now; null while there is none. */
  controller(): Controller | null;
}

/** Who orders, and holds what he was told against what became durable. */
export class Person {
  readonly #world: PersonWorld;
  #orders = 0;
  #isAccepted = false;

  constructor(world: PersonWorld) {
    this.#world = world;
  }

  /** Goes on until it is accepted. */
  async apply(): Promise<void> {
    const { clock, plan, journal, controller } = this.#world;
    while (!this.#isAccepted) {
      const said = await controller()
        ?.apply(plan)
        .catch(() => null);
      if (said?.kind === "accepted" || journal.stored.size > 0) this.#isAccepted = true;
      else await clock.sleep(500);
    }
  }

  async order(order: Exclude<Order, { plane: string }>): Promise<void> {
    const { plan, journal, fail, note } = this.#world;
    const controller = this.#world.controller();
    if (controller === null) return;
    if (order.kind === "retry") return this.#retry(controller);
    const [full, despite] = order.kind === "promote" ? [order.full, order.despite] : [false, false];
    const { kind } = order;
    const reason = `order ${this.#orders++}`;
    const wasSo = journal.holds(controller.rollout(plan.rolloutId)?.rollout.plan ?? plan, kind);
    const asked = { command: kind, full, despite, by: "ann", reason };
    const said = await controller.command(plan.rolloutId, asked).catch(() => null);
    if (said === null || controller !== this.#world.controller()) return; // Nobody was told anything.
    note(`ann is told: ${kind} ${said.kind}`);
    const isDone = journal.commands.includes(`${plan.rolloutId} ${kind} ${reason}`);
    // Of what crosses it, a part may come between the answer and the one who hears it.
    const isTrue =
      said.kind === "held" ? wasSo || journal.holds(said.rollout.plan, kind) : (said.kind === "done") === isDone;
    const what = isDone ? "is in the journal" : "is not in the journal";
    if (!isTrue) fail("kept word", `${kind} was answered "${said.kind}" and ${what}`);
  }

  async #retry(controller: Controller): Promise<void> {
    const { plan, note } = this.#world;
    const stored = controller.rollout(plan.rolloutId);
    if (stored === null || !isFinal(stored.rollout)) return;
    const { generation } = stored.rollout.plan;
    const said = await controller.apply({ ...plan, generation: generation + 1 }).catch(() => null);
    note(`ann is told: retry ${said?.kind ?? "nothing"}`);
  }
}
