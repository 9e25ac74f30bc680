import { afterEach, describe, expect, it } from "vitest";
import { unit } from "../../src/cli/commands/unit.ts";
import type { ControllerClient } from "../../src/cli/controller-client.ts";
import { controllerApp } from "../../src/controller/api/app.ts";
import { TokenBook } from "../../src/controller/token-book.ts";
import { memoryStore } from "../../src/drivers/store/memory/index.ts";
import { traffic, watch } from "../builders.ts";
import { shortPlan, World } from "./world.ts";

const ID = "support-rag-7";
const HOST = "127.0.0.1:4400";
const SECRET = "t".repeat(43);
/** A share that lasts, so that what is asked of its users does not depend on when. */
const plan = shortPlan({ stages: [traffic(20, 600_000), watch()] });

/** A store that a killed process cannot reach any more. */
function mortalStore() {
  const store = memoryStore();
  const life = { isOver: false };
  const commit: typeof store.commit = (change) =>
    life.isOver ? Promise.reject(new Error("killed")) : store.commit(change);
  return { store: { ...store, commit }, life };
}

let mortal = mortalStore();
let world = new World(mortal.store);
afterEach(() => world.controller.stop());

/** An address of the API as text: these tests send what the command line sends, to the app behind it. */
type Ask = (path: string, order?: RequestInit) => Promise<never>;

async function askOf({ controller, clock }: World): Promise<Ask> {
  const tokens = await TokenBook.open(world.store, clock, [[SECRET, "admin"]]);
  const stopped = new AbortController().signal;
  const said = { secret: SECRET, tokens, hasOpenMetrics: false, allowedHosts: [HOST], clock, stopped, log: () => {} };
  const app = controllerApp(controller, said);
  const headers = { host: HOST, authorization: `Bearer ${SECRET}` };
  return async (path, order = {}) => {
    const answer = (await (await app.request(`http://${HOST}${path}`, { headers, ...order })).json()) as object;
    if ("detail" in answer) throw new Error(String(answer.detail));
    return answer as never;
  };
}

async function clientOf(of: World): Promise<Pick<ControllerClient, "get" | "post">> {
  const ask = await askOf(of);
  const filled = (path: string, places: object) =>
    Object.entries(places).reduce((text, [name, value]) => text.replace(`{${name}}`, String(value)), path);
  return {
    get: (path, places) => ask(filled(path, places)),
    post: (path, places, body) => ask(filled(path, places), { method: "POST", body: JSON.stringify(body) }),
  };
}

async function told(id: string, rollout: string | null = null): Promise<string> {
  const said: string[] = [];
  const hear = (line: string) => void said.push(line);
  const terminal = { data: hear, document: hear, say: hear, isInteractive: false };
  const options = { json: false, rollout };
  await unit(id, options, await clientOf(world), { ...terminal, paint: (_style, text) => text });
  return said.join("\n");
}

/** A rollout with users for so many quarters of a second. */
async function begun(quarters: number): Promise<void> {
  mortal = mortalStore();
  world = await new World(mortal.store).open();
  await world.run(2);
  await world.controller.apply(plan);
  await world.run(quarters);
}

describe("what is known of a user", () => {
  it("is all there after a planned restart, without a word of anything missing", async () => {
    await begun(40);
    const before = await told("user-700");
    expect(before).toMatch(/requests failed on stable/);
    await world.controller.stop();
    await world.clock.advance(20_000);
    await world.open();
    expect(await told("user-700")).toBe(before);
    expect(await told("nobody")).toContain("never seen since this try began");
  });

  it("says after a kill from when to when users may be missing, always, and over the next restart too", async () => {
    await begun(40);
    mortal.life.isOver = true;
    await world.controller.stop();
    mortal.life.isOver = false;
    await world.clock.advance(20_000);
    await world.open();
    const missing = /requests from 2\S+ \S+ to 2\S+ \S+ UTC may be missing: the controller was away before it had/;
    const [seen, unseen] = [await told("user-0"), await told("nobody")];
    expect(unseen).toMatch(missing);
    expect(unseen).toContain("not seen in what is known of this try");
    expect(unseen).not.toContain("never seen");
    expect(seen).toMatch(missing);
    await world.run(40);
    await world.controller.stop();
    await world.open();
    expect((await told("nobody")).match(/may be missing/g)).toHaveLength(1);
  });

  it("of somebody who never came is where a request would go, not that an arm serves him", async () => {
    await begun(8);
    expect(await told("nobody")).toMatch(/a request would go to (stable|candidate), drawn to the candidate from/);
    expect(await told("nobody")).not.toContain("served by");
    expect(await told("user-250")).toContain("served by");
  });

  it("is asked of the only rollout that runs, or of the last one, where none is named", async () => {
    await begun(8);
    expect(await told("nobody")).toContain(`in rollout ${ID}, generation 1`);
    await world.controller.command(ID, { command: "abort", full: false, by: "ann", reason: "" });
    await world.run(8);
    const ended = await told("nobody");
    expect(ended).toContain(`in rollout ${ID}, generation 1`);
    expect(ended).not.toContain("another process");
  });

  it("is nothing of a rollout that is not known, and every endpoint says which there are", async () => {
    await begun(2);
    await expect(told("nobody", "nix")).rejects.toThrow(`no rollout "nix"; known: ${ID}`);
    const ask = await askOf(world);
    for (const path of ["/v1/rollouts/nix/journal", "/v1/verdicts/nix", "/v1/rollouts/nix"])
      await expect(ask(path)).rejects.toThrow(`no rollout "nix"; known: ${ID}`);
  });

  it("says whose split is in force where it is not this rollout's, and that none is before the first", async () => {
    world = await new World(mortalStore().store).open();
    await world.run(2);
    world.metricOfCandidate = "l2"; // Refused before anything was published.
    await world.controller.apply(plan);
    await world.run(8);
    expect(await told("nobody")).toContain("no split of support-rag was ever ordered, so nobody is on a candidate");
  });
});
