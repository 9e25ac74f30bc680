import type { ByArm } from "../core/arm.ts";
import type { Manifest } from "../core/release/manifest.ts";
import type { Split } from "../core/rollout/order.ts";
import type { RoutingDocument } from "../core/routing/document.ts";
import { type PointerCause, type PointerMove, REGION_DEFAULT, type ServicePointer } from "../core/service/pointer.ts";
import type { ArmPlan, TrafficPlan } from "../core/stage/plan.ts";
import type { EpochMs } from "../core/unit.ts";
import type { ControllerStore } from "../ports/controller-store.ts";
import { DriverError } from "../ports/driver-error.ts";
import { armUrl, namedRelease } from "../spec/normal-url.ts";

/** What a pointer is moved by: who, why, and the epoch and time of the document that goes with it. */
interface MoveContext {
  readonly cause: PointerCause;
  readonly by: string;
  readonly reason: string;
  readonly epoch: number;
  readonly at: EpochMs;
}

/**
 * The pointer of every service, as this process knows it. A move becomes durable in the same commit as the document
 * that carries it out, so that the two never tell different stories.
 */
export class ServicePointers {
  readonly #store: ControllerStore;
  readonly #moves = new Map<string, PointerMove>();
  /** Creations under way: several gateways report the same first document at once. */
  readonly #creating = new Map<string, Promise<void>>();

  constructor(store: ControllerStore) {
    this.#store = store;
  }

  /** Reads what was durable before a restart. */
  async load(): Promise<void> {
    for (const move of await this.#store.pointers()) this.remember(move);
  }

  of(service: string): ServicePointer | null {
    return this.#moves.get(service)?.pointer ?? null;
  }

  all(): readonly ServicePointer[] {
    return [...this.#moves.values()].map(({ pointer }) => pointer);
  }

  history(service: string): Promise<readonly PointerMove[]> {
    return this.#store.pointerHistory(service);
  }

  /** Takes a move as known; only after it is durable. */
  remember(move: PointerMove): void {
    this.#moves.set(move.pointer.service, move);
  }

  /**
   * Where a document of a rollout moves the pointer; null when it leaves it. Only a promotion moves it on, and only the
   * way back of the rollout that moved it moves it back.
   * @throws DriverError `stale-token` when the document would take users to another release than the current one
   */
  moveBy(
    plan: TrafficPlan,
    { arms }: Pick<Split, "arms">,
    { epoch, issuedAt }: Pick<RoutingDocument, "epoch" | "issuedAt">,
    pinned: ByArm<Manifest> | null,
  ): PointerMove | null {
    const side = arms === "swap" ? "candidate" : "stable";
    const pointer = this.of(plan.service);
    if (pointer === null && side === "stable") return null; // The first split creates it once a data plane has it.
    if (pointer !== null && pointer.url === armUrl(plan.arms[side])) return null;
    if (pointer !== null && side === "stable" && pointer.since.process !== plan.rolloutId) {
      const found = `service ${plan.service} is at ${pointer.url} since ${pointer.since.process}`;
      throw new DriverError("stale-token", "never", `${found}; ${plan.rolloutId} may not take it elsewhere`);
    }
    const cause = side === "candidate" ? "promoted" : "rolled-back";
    const context = { cause, by: plan.rolloutId, reason: "", epoch, at: issuedAt } as const;
    return this.#next(plan, plan.arms[side], pinned?.[side] ?? null, context);
  }

  /** The first pointer of a service: stable of the rollout whose split a data plane has adopted. */
  async create(
    plan: TrafficPlan,
    document: Pick<RoutingDocument, "epoch" | "issuedAt" | "arms">,
    pinned: ByArm<Manifest> | null,
  ): Promise<void> {
    if (this.#moves.has(plan.service)) return;
    const running = this.#creating.get(plan.service) ?? this.#create(plan, document, pinned);
    this.#creating.set(plan.service, running);
    await running.finally(() => this.#creating.delete(plan.service));
  }

  async #create(
    plan: TrafficPlan,
    document: Pick<RoutingDocument, "epoch" | "issuedAt" | "arms">,
    pinned: ByArm<Manifest> | null,
  ): Promise<void> {
    const side = document.arms.stable.cachePrefix === plan.arms.candidate.cachePrefix ? "candidate" : "stable";
    const { epoch, issuedAt: at } = document;
    const context = { cause: "created", by: plan.rolloutId, reason: "", epoch, at } as const;
    const move = this.#next(plan, plan.arms[side], pinned?.[side] ?? null, context);
    if (await this.#store.commit({ pointer: move })) this.remember(move);
  }

  /** The same release at another address; part of the commit that accepts the rollout which says so. */
  movedAddress(pointer: ServicePointer, plan: TrafficPlan): PointerMove {
    const arm = plan.arms.stable;
    const reason = `${pointer.url} is now ${armUrl(arm)}, which reports the same release`;
    const moved = { ...pointer, url: armUrl(arm), arm };
    const version = this.#versionAfter(plan.service);
    return { version, cause: "moved-address", by: plan.rolloutId, reason, pointer: moved };
  }

  /** What an operator takes over from outside. */
  adopted(
    pointer: ServicePointer,
    arm: ArmPlan,
    reported: string | null,
    { by, reason, epoch, at }: Omit<MoveContext, "cause">,
  ): PointerMove {
    const since = { process: "adopt", generation: null, at };
    const adopted = { ...pointer, url: armUrl(arm), arm, reported, release: namedRelease(arm), epoch, since };
    return { version: this.#versionAfter(pointer.service), cause: "adopted", by, reason, pointer: adopted };
  }

  #versionAfter(service: string): number {
    return (this.#moves.get(service)?.version ?? 0) + 1;
  }

  #next(plan: TrafficPlan, arm: ArmPlan, manifest: Manifest | null, context: MoveContext): PointerMove {
    const { cause, by, reason, epoch, at } = context;
    const since = { process: plan.rolloutId, generation: plan.generation, at };
    const release = { release: namedRelease(arm), reported: manifest?.release_id ?? null };
    const place = { service: plan.service, region: REGION_DEFAULT };
    const pointer = { ...place, ...release, url: armUrl(arm), arm, epoch, since };
    return { version: this.#versionAfter(plan.service), cause, by, reason, pointer };
  }
}
