import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importProblem } from "./layers.ts";
import { importsOf, ROOT } from "./source-files.ts";
import { recipeOf, TemporaryCopy } from "./temporary-copy.ts";

/** Line 1. */
const MACHINE = `
import type { HostedMachine } from "../process/machine.ts";
import { awaitedBy, type Order, type OrderDone, type OrderFailed, orderId } from "../process/order.ts";
import type { EpochMs } from "../unit.ts";

export interface NoticePlan {
  readonly processId: string;
  readonly service: string;
  readonly text: string;
}

export interface Notice {
  readonly plan: NoticePlan;
  readonly phase: "pending" | "sending" | "sent" | "failed";
  readonly awaiting: readonly Order[];
  readonly cause: { readonly text: string } | null;
}

type NoticeEvent =
  | { readonly kind: "started"; readonly at: EpochMs }
  | { readonly kind: "tick"; readonly at: EpochMs }
  | OrderDone
  | OrderFailed;

/** Sends a text once, and says what became of it. */
export const noticeMachine = {
  kind: "notice",
  schema: 1,
  start: (plan: NoticePlan): Notice => ({ plan, phase: "pending", awaiting: [], cause: null }),
  step(before: Notice, event: NoticeEvent) {
    const stay = { state: before, orders: [], notes: [] };
    if (event.kind === "tick") return stay;
    if (event.kind === "started") {
      if (before.phase !== "pending") return stay;
      const { processId, text } = before.plan;
      const order = { id: orderId(processId, 1, 0), port: "notice", verb: "send", args: { text }, withinMs: 1_000 };
      return { state: { ...before, phase: "sending", awaiting: [order] }, orders: [order], notes: [] };
    }
    if (awaitedBy(before.awaiting, event) === null) return stay;
    const isSent = event.kind === "order-done";
    const cause = isSent ? null : { text: event.message };
    const note = { type: "note", rollout: before.plan.processId, text: isSent ? "sent" : "not sent" } as const;
    return { state: { ...before, phase: isSent ? "sent" : "failed", awaiting: [], cause }, orders: [], notes: [note] };
  },
  broken: ({ phase, awaiting }: Notice) =>
    (phase === "sending") === (awaiting.length === 1) ? [] : ["one order while it is sent"],
  isFinal: ({ phase }: Notice) => phase === "sent" || phase === "failed",
  cause: ({ cause }: Notice) => cause,
  about: ({ plan, phase, awaiting }: Notice) => ({
    ...{ processId: plan.processId, generation: 1, service: plan.service, plan },
    ...{ isPending: phase === "pending", awaiting },
  }),
} satisfies HostedMachine<NoticePlan, Notice, NoticeEvent>;
`;

/** Lines 2, 3 and 5: an executor, an actor over the product's store, and a test that kills it and folds its journal. */
const TEST = `
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Notice, noticeMachine, type NoticePlan } from "../core/notice/machine.ts";
import { BP_NONE, epochMs } from "../core/unit.ts";
import { memoryStore } from "../drivers/store/memory/index.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { EventFeed } from "./event-feed.ts";
import { executorsOf } from "./orders/carry-out.ts";
import { A_MOMENT, DONE, executor } from "./orders/executor.ts";
import { ProcessActor, readStored } from "./process-actor.ts";

const plan: NoticePlan = { processId: "n-1", service: "desk", text: "moved" };

function world() {
  const [clock, store] = [manualClock(), memoryStore()];
  const sent: string[] = [];
  const told: string[] = [];
  const feed = new EventFeed(0);
  feed.listen(({ event }) => event.type === "note" && told.push(event.text));
  const sending = executor<{ text: string }, void, NoticePlan>({
    port: "notice",
    verb: "send",
    args: z.strictObject({ text: z.string() }),
    retry: A_MOMENT,
    apply: async ({ args }) => void sent.push(args.text),
    verify: () => Promise.resolve(DONE),
  });
  const tools = {
    ...{ clock, store, feed, log: () => {}, onFatal: () => {} },
    executors: executorsOf([sending]),
    orderer: (state: Notice) => ({ plan: state.plan, pinned: null, candidateBp: BP_NONE }),
  };
  const standing = { state: noticeMachine.start(plan), version: 0, createdAt: epochMs(1), journalLength: 0 };
  const begin = async (from = standing) => {
    const actor = new ProcessActor(noticeMachine, from, tools);
    await actor.resume();
    return actor;
  };
  return { clock, store, sent, told, begin };
}

describe("a notice", () => {
  it("is committed before it is sent, told, and folds from its journal", async () => {
    const { clock, store, sent, told, begin } = world();
    const actor = await begin();
    await clock.advance(1_000);
    expect([sent, told, actor.state.phase]).toEqual([["moved"], ["sent"], "sent"]);
    const folded = (await store.processJournal("n-1")).reduce(
      (before, { event }) => noticeMachine.step(before, event as never).state as Notice,
      noticeMachine.start(plan),
    );
    const [stored] = await store.processes();
    expect(folded).toEqual(stored?.state);
  });

  it("is sent again by the process after one that died, under the same id", async () => {
    const { clock, store, sent, begin } = world();
    await (await begin()).stop();
    const [stored] = await store.processes();
    const state = readStored(noticeMachine, stored as NonNullable<typeof stored>) as Notice;
    expect(state.phase).toBe("sending");
    const next = await begin({ state, version: 1, createdAt: epochMs(1), journalLength: 1 });
    await clock.advance(1_000);
    expect([next.state.phase, sent.at(-1)]).toEqual(["sent", "moved"]);
    expect(() => readStored(noticeMachine, { ...(stored as NonNullable<typeof stored>), schema: 2 })).toThrow(
      "was stored in form 2, this program knows 1",
    );
  });
});
`;

let copy: TemporaryCopy;
beforeAll(() => {
  copy = new TemporaryCopy(["src", "package.json", "tsconfig.base.json", "tsconfig.build.json"]);
});
afterAll(() => copy.remove());

describe("the recipe “Add a machine” of ARCHITECTURE.md", () => {
  it("has five lines, and every place in them exists", () => {
    const recipe = recipeOf("Add a machine");
    expect(recipe.match(/^\d\. /gm)).toHaveLength(5);
    const places = [...recipe.matchAll(/`((?:src|test)\/[\w/-]+\.ts)`/g)].map(([, path]) => path as string);
    expect(places).toHaveLength(5);
    for (const path of places) expect(readFileSync(join(ROOT, path), "utf8").length).toBeGreaterThan(0);
  });

  it("gives a machine that compiles, is carried out, told, killed, taken up again and folded from its journal", () => {
    copy.write("src/core/notice/machine.ts", MACHINE);
    copy.write("src/controller/notices.test.ts", TEST);
    const file = { path: "src/core/notice/machine.ts", text: MACHINE, lines: 0 };
    expect(importsOf(MACHINE).flatMap((one) => importProblem(file, one) ?? [])).toEqual([]);
    expect(copy.runPackage("tsc", ["-p", "tsconfig.build.json", "--noEmit"])).toEqual({ status: 0, said: "" });
    const { status, said } = copy.runPackage("vitest", ["run", "--root", ".", "src/controller/notices.test.ts"]);
    expect([status, said]).toEqual([0, expect.stringMatching(/Tests\s.*2 passed/)]);
  }, 300_000);
});
