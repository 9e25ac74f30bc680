import { afterEach, describe, expect, it } from "vitest";
import { traffic, watch } from "../../test/builders.ts";
import { shortPlan as plan, World } from "../../test/controller/world.ts";
import type { Command } from "../core/rollout/event.ts";

let world: World;
afterEach(async () => {
  await world.controller.stop();
});

const ask = (command: Command) =>
  world.controller.command("support-rag-7", { command, full: false, despite: true, by: "ann", reason: "" });

/** Both are asked before the first one is durable. */
async function crossing(first: Command, second: Command) {
  world = await new World().open();
  await world.run(2);
  await world.controller.apply(plan({ stages: [traffic(20, 600_000, 900_000), watch()] }));
  await world.run(8);
  const said = await Promise.all([ask(first), ask(second)]);
  const entries = await world.controller.journal("support-rag-7");
  const done = entries.flatMap(({ event }) => (event.kind === "commanded" ? [event.command] : []));
  return { said: said.map(({ kind }) => kind), done, second: said[1] };
}

describe("two commands that cross", () => {
  it.each([
    ["abort", "pause", ["done", "no-effect"], ["abort"]],
    ["abort", "promote", ["done", "no-effect"], ["abort"]],
    ["abort", "rollback", ["done", "held"], ["abort"]],
    ["pause", "pause", ["done", "held"], ["pause"]],
    ["pause", "abort", ["done", "done"], ["pause", "abort"]],
    ["promote", "promote", ["done", "no-effect"], ["promote"]],
    ["promote", "abort", ["done", "done"], ["promote", "abort"]],
  ] as const)("%s and %s are each told what is true of them", async (first, second, told, done) => {
    const found = await crossing(first, second);
    expect([found.said, found.done]).toEqual([told, done]);
  });

  it("says in the second answer what the first one did, and what works now", async () => {
    const { second } = await crossing("abort", "promote");
    expect(second).toMatchObject({ reason: expect.stringMatching(/is going back to stable.*sluice watch/) });
  });
});
