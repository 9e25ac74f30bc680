import type pg from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { randomStream } from "../../../src/core/stats/random.ts";
import { createKeyPair } from "../../../src/fence/webhook/secret.ts";
import { webhookSigner, webhookVerifier } from "../../../src/fence/webhook/index.ts";
import { systemClock } from "../../../src/fence/system.ts";
import { bundleEntry } from "../../controller/bundle.ts";
import type { PostgresServer } from "../fence/servers.ts";
import { Attacker } from "./attacker.ts";
import { type FaultyPartner, openFaultyPartner, type Post } from "./faulty-partner.ts";
import { openReceiver } from "./receiver.ts";
import { RelayKeeper, startRelay } from "./relay-child.ts";
import { type Colour, openEndpoints, type RelayConfig } from "./relay-config.ts";
import { openShop } from "./shop.ts";

export interface ScenarioPlan {
  readonly seed: number;
  /** Even. In each a share of the events is placed and the relay killed; half of them before the flip. */
  readonly rounds: number;
  readonly eventsPerRound: number;
}

/** Canary share before the flip; afterwards the candidate serves everybody. */
const [CANARY_BP, ALL_BP] = [2_000, 10_000];
const ACCOUNTS = 40;
const PARTNER_FAULTS = { "500": 0.06, "503": 0.05, cut: 0.05, drop: 0.04, late: 0.03, slow: 0.08 };
/** Longest wait for anything; then the scenario says what it saw. */
const PATIENCE_MS = 20_000;

/** Everything of one scenario, opened. */
export type Stage = Awaited<ReturnType<typeof openStage>>;

/** A sink of ours: verifies what comes and counts it. */
function sinkHandler(verifier: Awaited<ReturnType<typeof webhookVerifier>>) {
  return async (request: Request): Promise<Response> => {
    const body = new Uint8Array(await request.arrayBuffer());
    const { kind } = await verifier.verify({ headers: request.headers, body }, systemClock.wallMs());
    return new Response(null, { status: kind === "valid" ? 202 : 401 });
  };
}

/** Opens tables, accounts, receiver, partner, sink and attacker. Nothing is sent yet. */
export async function openStage(server: PostgresServer, pool: pg.Pool, seed: number) {
  const program = await bundleEntry("../integration/webhook/relay-process.ts");
  const [keys, sinkKeys] = [await createKeyPair(), await createKeyPair()];
  const receiver = await openReceiver(pool, keys.publicKey);
  const doors = [
    await openFaultyPartner({ seed, sharesOf: () => ({}), handle: receiver.handle }),
    await openFaultyPartner({ seed, sharesOf: () => ({}), handle: receiver.handleLate }),
  ] as const;
  const signer = await webhookSigner([keys.privateKey]);
  const attacker = new Attacker(seed, { now: doors[0].origin, late: doors[1].origin }, signer);
  const partner = await openFaultyPartner({
    seed,
    sharesOf: () => PARTNER_FAULTS,
    handle: receiver.handle,
    onPost: (post) => attacker.capture(post),
  });
  const sinkVerifier = await webhookVerifier([sinkKeys.publicKey]);
  const sink = await openFaultyPartner({
    seed,
    sharesOf: (arm) => ({ "500": arm === "candidate" ? 0.6 : 0.1, cut: 0.05 }), // What WE-2 has to find.
    handle: sinkHandler(sinkVerifier),
  });
  const addresses = {
    partner: { url: `${partner.origin}/hooks`, privateKey: keys.privateKey },
    sink: { url: `${sink.origin}/copies`, privateKey: sinkKeys.privateKey },
  };
  const [endpoints, random] = [await openEndpoints(addresses), randomStream(seed)];
  const shop = await openShop({ pool, endpoints, random, accounts: ACCOUNTS });
  for (const colour of ["blue", "green"]) await pool.query(`create role ${colour} login superuser`);
  const configOf = (colour: Colour, believedEpoch: number | null): RelayConfig => {
    return { colour, postgresPort: server.port, ...addresses, believedEpoch };
  };
  const relays: RelayKeeper[] = [];
  const keep = (colour: Colour): RelayKeeper => {
    const relay = new RelayKeeper(program, configOf(colour, null));
    relays.push(relay);
    return relay;
  };
  const wake = (colour: Colour, believedEpoch: number) => startRelay(program, configOf(colour, believedEpoch));
  const close = async () => {
    for (const relay of relays) await relay.abandon().end("SIGKILL");
    await receiver.stop();
    for (const { close: end } of [partner, sink, ...doors]) await end();
  };
  const moments = randomStream(seed + 1); // Of its own: what is placed does not depend on who is quicker.
  return { pool, moments, receiver, partner, sink, attacker, shop, keep, wake, close };
}

/** Waits until it is so; too long, and it says what was printed by the relay. */
async function until({ shop }: Stage, relay: RelayKeeper, what: string, isSo: () => boolean | Promise<boolean>) {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > giveUpAtMs) {
      const last = JSON.stringify(relay.lines.slice(-8));
      const said = `the relay said ${last} ${relay.current.said()}, left are ${await shop.left()}`;
      throw new Error(`${what}: not within ${PATIENCE_MS} ms; ${said}`);
    }
    await sleep(10);
  }
}

/**
 * Begins to place a round's events and returns at a seeded moment in the middle of their being sent: between a fifth
 * and seven tenths of the round's are still to leave.
 */
async function untilMidway(stage: Stage, relay: RelayKeeper, events: number, candidateBp: number) {
  const { shop, partner, moments } = stage;
  const aim = shop.placed.length + Math.floor(events * (0.3 + moments() / 2));
  const placed = shop.change(events, candidateBp);
  placed.catch(() => {}); // Whoever awaits it hears of it.
  await until(stage, relay, `${aim} events at the partner`, () => partner.ids() >= aim);
  await sleep(moments() * 15);
  await until(stage, relay, "a relay that emits", () => relay.isEmitting); // It may have stopped by itself just now.
  return { placed };
}

/** Cuts a colour off the database, as a region that is evacuated; nobody tells its relay. */
async function cutOff({ pool }: Stage, colour: Colour): Promise<void> {
  await pool.query(`alter role ${colour} nologin`);
  await pool.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", [colour]);
}

const epochOf = (relay: RelayKeeper) =>
  Math.max(...relay.lines.flatMap((line) => (line.kind === "granted" ? [line.epoch] : [])));

/** What the scenario leaves behind for the checks, besides the stage. */
export interface Outcome {
  readonly blue: RelayKeeper;
  readonly green: RelayKeeper;
  /** How the relay that was cut off ended, and one that woke later and believed in its old epoch. */
  readonly blueEnd: string;
  readonly wokenEnd: string;
  /** Posts of the partner when blue was cut off. */
  readonly flippedAtPost: number;
  readonly tookMs: number;
}

const endOf = (relay: { readonly lines: RelayKeeper["lines"] }) =>
  relay.lines.flatMap((line) => (line.kind === "ended" ? [line.end] : [])).at(-1) ?? "killed";

/** Everything that was placed has left, and the receiver has worked it off. */
async function isSettled({ shop, receiver }: Stage): Promise<boolean> {
  const { posts, copies } = await shop.counts();
  const left = [posts, copies].reduce((sum, { waiting, claimed }) => sum + waiting + claimed, 0);
  return left === 0 && ((await receiver.states())["queued"] ?? 0) === 0;
}

/** Runs the whole story: blue under kills, the flip, green under kills, until nothing is left to send. */
export async function playScenario(stage: Stage, { rounds, eventsPerRound }: ScenarioPlan): Promise<Outcome> {
  const begunAtMs = performance.now();
  const blue = stage.keep("blue");
  for (let round = 1; round < rounds / 2; round++) {
    const { placed } = await untilMidway(stage, blue, eventsPerRound, CANARY_BP);
    await Promise.all([blue.kill(), placed]);
  }
  const lastOfBlue = await untilMidway(stage, blue, eventsPerRound, CANARY_BP);
  const cut = blue.abandon();
  await cutOff(stage, "blue");
  const flippedAtPost = stage.partner.posts.length;
  const green = stage.keep("green");
  await lastOfBlue.placed;
  for (let round = 1; round < rounds / 2; round++) {
    const { placed } = await untilMidway(stage, green, eventsPerRound, ALL_BP);
    await Promise.all([green.kill(), placed]);
  }
  await cut.gone;
  await stage.pool.query("alter role blue login");
  const last = await untilMidway(stage, green, eventsPerRound, ALL_BP);
  const woken = stage.wake("blue", epochOf(blue));
  await Promise.all([woken.gone, last.placed]);
  await until(stage, green, "everything settled", () => isSettled(stage));
  await stage.attacker.attempts();
  await green.abandon().end("SIGTERM");
  const tookMs = performance.now() - begunAtMs;
  return { blue, green, blueEnd: endOf(cut), wokenEnd: endOf(woken), flippedAtPost, tookMs };
}

/** Posts in groups by their id. */
export function byId({ posts }: FaultyPartner): ReadonlyMap<string, readonly Post[]> {
  const groups = new Map<string, Post[]>();
  for (const post of posts) groups.set(post.webhookId, [...(groups.get(post.webhookId) ?? []), post]);
  return groups;
}
