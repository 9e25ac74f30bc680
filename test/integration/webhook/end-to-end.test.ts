import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareSinkResults, type SinkResult } from "../../../src/fence/webhook/index.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "../fence/servers.ts";
import { type Attempt, FORGERIES } from "./attacker.ts";
import { FAULTS, type Post, RETRY_AFTER_S } from "./faulty-partner.ts";
import type { AccountChanged } from "./receiver.ts";
import { CLAIM_MS, RETRY_SPEED, type RelayLine } from "./relay-config.ts";
import { byId, openStage, type Outcome, playScenario, type ScenarioPlan, type Stage } from "./scenario.ts";
import type { PlacedEvent } from "./shop.ts";

/** `SLUICE_WEBHOOK_ROUNDS` makes it a longer run, `SLUICE_WEBHOOK_SEED` another one. */
const plan: ScenarioPlan = {
  seed: Number(process.env["SLUICE_WEBHOOK_SEED"] ?? 11),
  rounds: Number(process.env["SLUICE_WEBHOOK_ROUNDS"] ?? 10),
  eventsPerRound: 40,
};
const events = plan.rounds * plan.eventsPerRound;
const kills = plan.rounds - 2;

const nameOf = ({ account, revision }: Pick<AccountChanged, "account" | "revision">) => `${account}/${revision}`;
const eventOf = ({ body }: Post) => JSON.parse(new TextDecoder().decode(body)) as AccountChanged;
const sorted = (names: Iterable<string>) => [...names].sort();
const countOf = <T>(all: readonly T[], isOne: (one: T) => boolean) => all.filter(isOne).length;

/** Names whose revision is not above the one that came before it for the same account. */
function orderBreaks(names: readonly string[]): readonly string[] {
  const newest = new Map<string, number>();
  return names.filter((name) => {
    const [account = "", revision] = name.split("/");
    const isBreak = Number(revision) <= (newest.get(account) ?? 0);
    newest.set(account, Number(revision));
    return isBreak;
  });
}

/** The end of each copy, by its id: the last word that a relay said of it. */
function sinkResults(lines: readonly RelayLine[]): ReadonlyMap<string, SinkResult> {
  const results = new Map<string, SinkResult>();
  for (const line of lines) {
    if (line.kind !== "copied") continue;
    const { arm, webhookId, tries, ageMs } = line;
    results.set(webhookId, { arm, tries, ageMs, isDelivered: true });
  }
  return results;
}

/**
 * Ids whose post was taken and answered in full, and yet posted again: its relay died, or lost its database, before the
 * mark.
 */
function postedInVain(groups: Iterable<readonly Post[]>): number {
  const isHealthy = ({ fault }: Post) => fault === null || fault === "slow";
  return countOf([...groups], (group) => group.slice(0, -1).some(isHealthy));
}

describe.skipIf(!hasPostgres())(
  "webhooks from outbox to effect, over HTTP, with relay processes that are killed",
  () => {
    let server: PostgresServer;
    let pool: pg.Pool;
    let stage: Stage;
    let outcome: Outcome;
    let placed: readonly PlacedEvent[];
    let posts: readonly Post[];
    let attempts: readonly Attempt[];

    beforeAll(
      async () => {
        server = await startPostgres(["max_connections=60"]);
        pool = server.connect(16);
        stage = await openStage(server, pool, plan.seed);
        outcome = await playScenario(stage, plan);
        [placed, posts, attempts] = [stage.shop.placed, stage.partner.posts, await stage.attacker.attempts()];
        console.info("webhook end to end:", JSON.stringify(await countAll()));
      },
      90_000 + events * 200,
    );
    afterAll(async () => {
      await stage?.close();
      await pool?.end();
      await server?.stop();
    });

    async function countAll() {
      const { blue, green, blueEnd, wokenEnd, flippedAtPost, tookMs } = outcome;
      const lines = [...blue.lines, ...green.lines];
      const audits = lines.flatMap((line) => (line.kind === "audit" ? [line.event] : []));
      return {
        seed: plan.seed,
        tookMs: Math.round(tookMs),
        events: placed.length,
        rollbacks: stage.shop.rollbacks(),
        kills: blue.kills + green.kills,
        selfStops: blue.selfStops + green.selfStops,
        posts: posts.length,
        flippedAtPost,
        faults: Object.fromEntries(FAULTS.map((fault) => [fault, countOf(posts, (post) => post.fault === fault)])),
        postedAgain: posts.length - byId(stage.partner).size,
        postedInVain: postedInVain(byId(stage.partner).values()),
        received: Object.fromEntries(stage.receiver.seen),
        inbox: await stage.receiver.states(),
        replays: countOf(attempts, ({ kind }) => kind === "replay"),
        forgeries: countOf(attempts, ({ kind }) => kind !== "replay"),
        copies: stage.sink.posts.length,
        stale: countOf(audits, (event) => event === "stale"),
        failed: countOf(audits, (event) => event === "failed"),
        storeFailed: countOf(audits, (event) => event === "store-failed"),
        ends: [blueEnd, wokenEnd],
      };
    }

    it(`I6, I7: applies each of ${events} events exactly once under ${kills} kills -9, and none that was rolled back`, async () => {
      const names = placed.map(nameOf);
      expect(new Set(names).size).toBe(events);
      expect(sorted(await stage.shop.changes())).toEqual(sorted(names));
      expect(sorted(await stage.receiver.applied())).toEqual(sorted(names));
      expect(await stage.receiver.states()).toEqual({ done: events });
      const { posts: outbox, copies } = await stage.shop.counts();
      expect(outbox).toEqual({ waiting: 0, claimed: 0, sent: events, dead: 0, oldestUnsentMs: null });
      expect(copies).toMatchObject({ waiting: 0, claimed: 0, dead: 0 });
      expect(outcome.blue.kills + outcome.green.kills).toBe(kills);
      expect(stage.shop.rollbacks()).toBeGreaterThan(events / 50);
      expect(postedInVain(byId(stage.partner).values())).toBeGreaterThan(kills); // So the kills did hit.
      for (const fault of FAULTS)
        expect(
          countOf(posts, (post) => post.fault === fault),
          fault,
        ).toBeGreaterThan(0);
    });

    it("I6: keeps one webhook-id for all attempts of an event, from both colours: its effect key", () => {
      const idsOf = new Map<string, Set<string>>();
      for (const post of posts) {
        const name = nameOf(eventOf(post));
        idsOf.set(name, (idsOf.get(name) ?? new Set()).add(post.webhookId));
      }
      const expected = new Map(placed.map((event) => [nameOf(event), new Set([event.webhookId])]));
      expect(idsOf).toEqual(expected);
      const colours = [...byId(stage.partner).values()].map(
        (group) => new Set(group.map(({ emitter }) => emitter)).size,
      );
      expect(Math.max(...colours)).toBe(2); // At least one event was begun by blue and ended by green.
    });

    it("keeps the order of each order key on the wire, in the inbox and in the effects", async () => {
      const firstTaken = posts.filter(({ nth }) => nth === 1).map((post) => nameOf(eventOf(post)));
      expect(orderBreaks(firstTaken)).toEqual([]);
      expect(orderBreaks(await stage.receiver.kept())).toEqual([]);
      expect(orderBreaks(await stage.receiver.applied())).toEqual([]);
      expect(stage.receiver.seen.get("superseded") ?? 0).toBe(0);
    });

    it("I14: lets nothing leave blue once green's epoch was seen, cut off or woken with its old epoch", async () => {
      const { blue, green, blueEnd, wokenEnd, flippedAtPost } = outcome;
      const epochs = posts.map(({ epoch }) => epoch);
      expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
      const firstOfGreen = posts.findIndex(({ emitter }) => emitter === "green");
      expect(posts.slice(firstOfGreen).filter(({ emitter }) => emitter !== "green")).toEqual([]);
      expect(firstOfGreen).toBeGreaterThanOrEqual(flippedAtPost);
      const granted = (lines: readonly RelayLine[]) =>
        lines.flatMap((line) => (line.kind === "granted" ? [line.epoch] : []));
      const lastOfBlue = Math.max(...granted(blue.lines));
      expect(Math.min(...granted(green.lines))).toBeGreaterThan(lastOfBlue);
      expect([blueEnd, wokenEnd]).toEqual(["grant-lost", "stale-epoch"]);
      expect(await stage.shop.claimUnder(lastOfBlue)).toBe("stale-epoch");
    });

    it("waits at least as long as a 503 asks for, also when the relay dies meanwhile", () => {
      const asked = [...byId(stage.partner).values()].flatMap((group) =>
        group.flatMap((post, index) => (post.fault === "503" ? [{ post, next: group[index + 1] }] : [])),
      );
      expect(asked.length).toBeGreaterThan(0);
      const waitsMs = asked.map(({ post, next }) => (next?.atMs ?? 0) - post.atMs);
      expect(Math.min(...waitsMs)).toBeGreaterThanOrEqual(Math.min((RETRY_AFTER_S * 1_000) / RETRY_SPEED, CLAIM_MS));
    });

    it("WE-1: gives the sink exactly the copies of both arms, under the ids of the partner's posts", () => {
      const expected = placed.filter(({ isCopied }) => isCopied).map(({ arm, webhookId }) => `${arm} ${webhookId}`);
      const arrived = stage.sink.posts.map(({ arm, webhookId }) => `${arm} ${webhookId}`);
      expect(sorted(new Set(arrived))).toEqual(sorted(expected));
      expect(expected).toHaveLength(events / 2); // WE-8: none from 50 % on.
      expect(countOf(expected, (copy) => copy.startsWith("candidate"))).toBeGreaterThan(events / 20);
      expect(stage.sink.posts.filter(({ status }) => status === 401)).toEqual([]);
    });

    it("WE-2: compares success, tries and age of the arms' copies", () => {
      const results = sinkResults([...outcome.blue.lines, ...outcome.green.lines]);
      const copied = placed.flatMap(({ isCopied, webhookId }) => (isCopied ? [webhookId] : []));
      expect(sorted(results.keys())).toEqual(sorted(copied));
      for (const [webhookId, group] of byId(stage.sink)) {
        expect(results.get(webhookId)?.tries, webhookId).toBeGreaterThanOrEqual(group.length); // A killed try may post nothing.
      }
      const compared = compareSinkResults([...results.values()]);
      console.info("webhook sink:", JSON.stringify(compared));
      if (compared.kind !== "compared") throw new Error(`expected a comparison, found ${compared.kind}`);
      const { stable, candidate } = compared.arms;
      expect(stable.count + candidate.count).toBe(events / 2);
      expect([stable.deliveredShare, candidate.deliveredShare]).toEqual([1, 1]);
      expect(compared.difference.triesMean).toBeGreaterThan(0.2); // 60 % of its first copies were refused, stable's 10 %.
    });

    it("S12: answers every forged or late post with 401 or 400, and keeps none", async () => {
      const forged = attempts.filter(({ kind }) => kind !== "replay");
      const answered = (kind: Attempt["kind"]) =>
        new Set(attempts.filter((attempt) => attempt.kind === kind).map(({ status }) => status));
      for (const kind of FORGERIES) {
        expect([kind, [...answered(kind)]]).toEqual([kind, [kind === "signed, no event" ? 400 : 401]]);
      }
      const { seen } = stage.receiver;
      expect((seen.get("webhook-not-verified") ?? 0) + (seen.get("webhook-invalid") ?? 0)).toBe(forged.length);
      expect(await stage.receiver.kept()).toHaveLength(events);
      expect(posts.filter(({ status }) => status !== null && status !== 202 && status !== 200)).toEqual([]);
    });

    it("I6: takes the captured bytes of 10 % of the posts again without a second effect, and refuses other content", async () => {
      const replays = attempts.filter(({ kind }) => kind === "replay");
      expect(replays.length).toBeGreaterThan(posts.length / 20);
      expect(new Set(replays.map(({ status }) => status).filter((status) => status !== 202))).toEqual(new Set([200]));
      const taken = posts.find(({ status }) => status === 202) as Post;
      expect(await stage.attacker.contradict(taken)).toBe(422);
      expect(await stage.receiver.applied()).toHaveLength(events);
      expect(await stage.receiver.states()).toEqual({ done: events });
    });
  },
);
