/** A small wrong behaviour: one place of the product's source with another text. The file itself is never touched. */
export interface PlantedBug {
  readonly name: string;
  /** What goes wrong, for a person. */
  readonly says: string;
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Wrong behaviours that somebody could write, each of which the seeded world has to notice. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "older-document",
    says: "a data plane takes a document older than its own",
    file: "src/core/routing/admit.ts",
    find: "if (current === null || isNewer(document, current)) return",
    replace: "if (current === null || isNewer(document, current) || isNewer(current, document)) return",
  },
  {
    name: "publish-before-commit",
    says: "a document is given out before it is durable",
    file: "src/controller/document-ledger.ts",
    find: "const isStored = await this.#store.commit(move === null ? change : { ...change, pointer: move });",
    replace:
      "void this.#store.commit(move === null ? change : { ...change, pointer: move }).catch(() => {}); const isStored = true;",
  },
  {
    name: "begun-before-commit",
    says: "an order begins before it is durable",
    file: "src/controller/rollout-actor.ts",
    find: "else await this.#commit(next, entry, answer?.(state));",
    replace: "else void this.#commit(next, entry, answer?.(state)).catch(() => {});",
  },
  {
    name: "silent-confirms",
    says: "a silent gateway counts as one that confirmed",
    file: "src/core/routing/confirm.ts",
    find: 'const isBlocked = planes.some(({ standing }) => standing === "waiting");',
    replace: 'const isBlocked = planes.some(({ standing }, at) => standing === "waiting" && words[at]?.isLive);',
  },
  {
    name: "override-confirms",
    says: "a person's word confirms the way back without a lease, over a document that gives users away when it ends",
    file: "src/core/routing/confirm.ts",
    find: 'direction === "back" && (isLeased || isServed))',
    replace: 'direction === "back")',
  },
  {
    name: "any-live-confirms",
    says: "one gateway that serves the document confirms it for all",
    file: "src/core/routing/confirm.ts",
    find: "return { isConfirmed: isReached && !isBlocked, planes };",
    replace: "return { isConfirmed: isReached && (isServedBySome || !isBlocked), planes };",
  },
  {
    name: "no-lease",
    says: "a data plane gives users to a provisional arm without a lease",
    file: "src/plane/plane.ts",
    find: "if (this.#refuge === null || this.#lease.isRunning(monoMs)) return this.#plan;",
    replace: "if (this.#refuge === null || monoMs > 0) return this.#plan;",
  },
  {
    name: "lease-from-arrival",
    says: "a lease is counted from the answer instead of the request",
    file: "src/plane/lease.ts",
    find: "this.#sentMonoMs = ask.sentMonoMs;\n    this.#sentWallMs = ask.sentWallMs;",
    replace: "this.#sentMonoMs = this.#clock.monoMs();\n    this.#sentWallMs = this.#clock.wallMs();",
  },
  {
    name: "lease-slept-through",
    says: "a suspended machine has the time again in which it slept",
    file: "src/plane/lease.ts",
    find: "return Math.min(this.#untilMonoMs - monoMs, this.#sentWallMs + this.#ms - this.#clock.wallMs());",
    replace: "return this.#untilMonoMs - monoMs;",
  },
  {
    name: "lease-ends-with-document",
    says: "every new document ends the lease, so users go to stable for a moment",
    file: "src/plane/plane.ts",
    find: "if (document.rolloutId !== before.rolloutId || document.store !== before.store) this.#lease.end();",
    replace: "this.#lease.end();",
  },
  {
    name: "lease-not-counted",
    says: "the controller forgets that an answer gave a lease",
    file: "src/controller/plane-desk.ts",
    find: "hub.granted(gatewayId, ms);",
    replace: "",
  },
  {
    name: "lease-after-order",
    says: "a lease is renewed between the order back and its document",
    file: "src/controller/plane-desk.ts",
    find: "hub.current(service) !== document || isTakenBack(document)",
    replace: "hub.current(service) !== document",
  },
  {
    name: "hold-by-wall",
    says: "a hold ends when the wall clock says so",
    file: "src/controller/wall-watch.ts",
    find: "if (Math.abs(byMs) <= TOLERATED_MS) return 0;",
    replace: "if (byMs !== 0.5) return 0;",
  },
  {
    name: "hold-over-absence",
    says: "a hold goes on while no controller lives",
    file: "src/core/rollout/lived-time.ts",
    find: "if (holdingSince === null || livedUntil === undefined) return restarted;",
    replace: "if (holdingSince === null || livedUntil !== 0.5) return restarted;",
  },
  {
    name: "crossing-done",
    says: "a command is answered by the state it came in, not by the one in which its turn came",
    file: "src/controller/commanding.ts",
    find: "  await actor.takeInState((rollout) => {\n    const standing = standingOf(rollout, asked, around);",
    replace: "  const standing = standingOf(actor.rollout, asked, around);\n  await actor.takeInState((rollout) => {",
  },
  {
    name: "planes-forgotten",
    says: "a restarted controller does not wait for data planes it has not heard yet",
    file: "src/controller/plane-desk.ts",
    find: "hub.restore(plane.service, plane.gatewayId, plane.planeId, ownership.leasesFromMonoMs + longestMs);",
    replace: "void longestMs;",
  },
  {
    name: "earlier-leases-forgotten",
    says: "a restarted controller counts no lease that the one before gave",
    file: "src/controller/plane-desk.ts",
    find: "ownership.leasesFromMonoMs + longestMs);",
    replace: "ownership.leasesFromMonoMs + 0 * longestMs);",
  },
  {
    name: "overtaken-report",
    says: "a report that was overtaken shortens the lease the controller counts with",
    file: "src/controller/gateway-registry.ts",
    find: "if (isOvertaken(report, before?.report ?? null)) return;",
    replace: "",
  },
  {
    name: "stale-evidence",
    says: "a second try is judged by the evidence of the first",
    file: "src/core/rollout/wheel.ts",
    find: "seen: isFresh ? seen : secondTry(seen, state, epoch), orders, notes };",
    replace: "seen: isFresh || epoch > 0 ? seen : secondTry(seen, state, epoch), orders, notes };",
  },
  {
    name: "duplicate-window",
    says: "a window that comes again is counted again",
    file: "src/core/observe/observe.ts",
    find: "if (window.seq <= cursorOf(observations, window)) return null;",
    replace: "if (window.seq < cursorOf(observations, window)) return null;",
  },
  {
    name: "early-acknowledgement",
    says: "windows are acknowledged before they are durable",
    file: "src/controller/telemetry-push.ts",
    find: "await controller.ingest(service, counted, adopted);",
    replace: "void controller.ingest(service, counted, adopted).catch(() => {});",
  },
  {
    name: "order-forgotten",
    says: "a restarted controller does not begin the orders again that it waits for",
    file: "src/controller/rollout-actor.ts",
    find: "else for (const order of awaiting) this.#begin(order);",
    replace: "",
  },
  {
    name: "published-again",
    says: "after a restart a document is published a second time under a new number",
    file: "src/controller/document-ledger.ts",
    find: "if (previous?.orderId === order.id) return this.#remember(plan, previous);",
    replace: "",
  },
  {
    name: "arm-left-open",
    says: "the way back sets the share to 0 and leaves the arm open",
    file: "src/core/rollout/transition.ts",
    find: 'closed: ["candidate"],',
    replace: "closed: [],",
  },
  {
    name: "pause-ignored",
    says: "a paused rollout goes on to the next share",
    file: "src/core/rollout/step.ts",
    find: "judged.holdingSince !== null && !judged.paused && judged.awaiting.length === 0;",
    replace: "judged.holdingSince !== null && judged.awaiting.length === 0;",
  },
  {
    name: "share-off-by-ten",
    says: "a data plane gives the candidate a tenth more users than ordered",
    file: "src/core/routing/route.ts",
    find: "threshold: thresholdOf(document.candidateBp),",
    replace: "threshold: Math.min(2 ** 32, thresholdOf(document.candidateBp) * 1.1),",
  },
  {
    name: "epoch-reused",
    says: "a way back takes the number of the document it replaces",
    file: "src/core/rollout/routing-document.ts",
    find: "seq: isNewEpoch ? 1 : (previous?.seq ?? 0) + 1,",
    replace: "seq: 1,",
  },
  {
    name: "override-ignored",
    says: "a person's word at a data plane changes nothing",
    file: "src/plane/plane.ts",
    find: "if (this.#overridden !== null) return this.#overridden;",
    replace: "",
  },
  {
    name: "paused-first-share",
    says: "a rollout that is paused while identity is compared moves users to its first share",
    file: "src/core/rollout/step.ts",
    find: 'if (overall(event.verdicts) === "pass" && !done.paused) return enterFirst(done);',
    replace: 'if (overall(event.verdicts) === "pass") return enterFirst(done);',
  },
];
