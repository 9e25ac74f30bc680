import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importProblem } from "./layers.ts";
import { importsOf, ROOT } from "./source-files.ts";
import { recipeOf, TemporaryCopy } from "./temporary-copy.ts";

/** Line 1. */
const ORDER = `
/** Silence alerts of a service for a while; done means that they read as silenced. */
export type SilenceOrder = OrderOf<"alert", "silence", { readonly service: string }>;

export function silence(service: string): Unnumbered<SilenceOrder> {
  return { port: "alert", verb: "silence", args: { service }, withinMs: 1_000 };
}
`;

/** Line 2. */
const SCHEMA = `
/** What \`alert.silence\` takes. */
export const silencing = z.strictObject({
  service: z.string().min(1),
} satisfies FieldsOf<SilenceOrder["args"]>) satisfies z.ZodType<SilenceOrder["args"]>;
`;

/** Line 3. */
const EXECUTOR = `
import { silencing } from "../../contract/order.ts";
import type { SilenceOrder } from "../../core/rollout/order.ts";
import type { Clock } from "../../ports/clock.ts";
import { A_MOMENT, DONE, type Executor, executor, type Outcome } from "./executor.ts";

export interface AlertTools {
  readonly alerts: { silence(service: string): Promise<void>; isLoud(service: string): Promise<boolean> };
  readonly clock: Clock;
}

export function quieting({ alerts, clock }: AlertTools): Executor<unknown> {
  return executor<SilenceOrder["args"], void, unknown>({
    port: "alert",
    verb: "silence",
    args: silencing,
    retry: A_MOMENT,
    apply: ({ args }) => alerts.silence(args.service),
    async verify(_nothing, { args, withinMs }): Promise<Outcome> {
      const untilMs = clock.monoMs() + withinMs;
      while (await alerts.isLoud(args.service)) {
        if (clock.monoMs() >= untilMs)
          return { kind: "failed", code: "unverified", message: \`\${args.service} is still loud\` };
        await clock.sleep(100);
      }
      return DONE;
    },
  });
}
`;

const TEST = `
import { describe, expect, it } from "vitest";
import { stepSaga, newSaga } from "../../core/process/saga.ts";
import { silence } from "../../core/rollout/order.ts";
import { epochMs } from "../../core/unit.ts";
import { DriverError } from "../../ports/driver-error.ts";
import { manualClock } from "../../testing/manual-clock.ts";
import { quieting } from "./alert.ts";
import { carryOut, executorsOf } from "./carry-out.ts";

/** A fake of alerts; it silences so many milliseconds after it said that it would. */
function world(afterMs: number, failures = 0) {
  const clock = manualClock();
  let [quietAtMs, asked, left] = [Number.POSITIVE_INFINITY, 0, failures];
  const alerts = {
    async silence() {
      asked++;
      if (left-- > 0) throw new DriverError("unreachable", "safe", "connection refused");
      quietAtMs = Math.min(quietAtMs, clock.monoMs() + afterMs);
    },
    isLoud: async () => clock.monoMs() < quietAtMs,
  };
  const executors = executorsOf([quieting({ alerts, clock })]);
  const by = { plan: null as never, pinned: null, candidateBp: 0 as never };
  const run = async (order: Parameters<typeof carryOut>[0]) => {
    const done = carryOut(order, by, executors, clock, new AbortController().signal);
    const ended = done.then(() => {}, () => {});
    let isOver = false;
    void ended.then(() => (isOver = true));
    while (!isOver) await clock.advance(100);
    return done;
  };
  return { run, asked: () => asked };
}

describe("alert.silence", () => {
  const ordered = { ...silence("b1:"), id: "r/1/0" };

  it("is done once they read as silenced, and failed when that is not seen in time", async () => {
    expect(await world(300).run(ordered)).toEqual({ kind: "done", verdicts: [] });
    expect(await world(5_000).run(ordered)).toMatchObject({ kind: "failed", code: "unverified" });
  });

  it("is tried again when nobody answers for a moment, and says so when it stays away", async () => {
    const away = world(0, 2);
    expect([(await away.run(ordered)).kind, away.asked()]).toEqual(["done", 3]);
    expect(await world(0, 99).run(ordered)).toMatchObject({ kind: "failed", code: "unreachable" });
  });

  it("refuses arguments that it does not take, and an order that nobody carries out", async () => {
    await expect(world(0).run({ ...ordered, args: { service: "" } })).rejects.toThrow(/says nothing that alert.silence takes/);
    await expect(world(0).run({ ...ordered, verb: "raise" })).rejects.toThrow(/nobody here carries out alert.raise/);
  });

  it("is asked for by a machine, and what came of it is matched by its id", () => {
    const { port, verb, args, withinMs } = silence("b1:");
    const apply = { port, verb, args, withinMs };
    const step = { name: "silence", side: "writes", apply, verify: null, undo: null, budgetMs: 1_000, holdMs: 0 } as const;
    const saga = newSaga({ processId: "p", generation: 1, epoch: 0, steps: [step] });
    const { state, orders } = stepSaga(saga, { kind: "started", at: epochMs(1) });
    expect(orders).toMatchObject([{ id: "p/1/0", port: "alert", verb: "silence", args: { service: "b1:" } }]);
    const done = { kind: "order-done", at: epochMs(2), order: "alert.silence", verdicts: [] } as const;
    expect(stepSaga(state, { ...done, orderId: "p/1/9" }).state.phase).toBe("applying");
    expect(stepSaga(state, { ...done, orderId: "p/1/0" }).state.phase).toBe("done");
  });
});
`;

let copy: TemporaryCopy;
beforeAll(() => {
  copy = new TemporaryCopy(["src", "package.json", "tsconfig.base.json", "tsconfig.build.json"]);
});
afterAll(() => copy.remove());

describe("the recipe “Add an order” of ARCHITECTURE.md", () => {
  it("has five lines, and every place in them exists", () => {
    const recipe = recipeOf("Add an order");
    expect(recipe.match(/^\d\. /gm)).toHaveLength(5);
    const places = [...recipe.matchAll(/`(src\/[\w/-]+\.ts)`/g)].map(([, path]) => path as string);
    expect(places).toHaveLength(4);
    for (const path of places) expect(readFileSync(join(ROOT, path), "utf8")).toMatch(/order/i);
  });

  it("gives an order that compiles, is carried out, read back, tried again, refused and awaited by its id", () => {
    copy.edit("src/core/rollout/order.ts", [
      "/** Everything that a rollout",
      `${ORDER.trimStart()}\n/** Everything that a rollout`,
    ]);
    copy.edit(
      "src/contract/order.ts",
      ["CompareOrder, RolloutOrder", "CompareOrder, SilenceOrder, RolloutOrder"],
      ["\nconst common =", `${SCHEMA}\nconst common =`],
    );
    copy.write("src/controller/orders/alert.ts", EXECUTOR);
    copy.write("src/controller/orders/alert.test.ts", TEST);
    const file = { path: "src/controller/orders/alert.ts", text: EXECUTOR, lines: 0 };
    expect(importsOf(EXECUTOR).flatMap((one) => importProblem(file, one) ?? [])).toEqual([]);
    expect(copy.runPackage("tsc", ["-p", "tsconfig.build.json", "--noEmit"])).toEqual({ status: 0, said: "" });
    const { status, said } = copy.runPackage("vitest", ["run", "--root", ".", "src/controller/orders/alert.test.ts"]);
    expect([status, said]).toEqual([0, expect.stringMatching(/Tests\s.*4 passed/)]);
  }, 300_000);
});
