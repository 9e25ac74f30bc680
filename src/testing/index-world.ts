import { assert } from "../core/assert.ts";
import type { AliasFlip, AliasTarget, FlipResult, IndexAliases } from "../ports/index-alias.ts";

/** An index as a case wants it built. */
export interface WantedIndex {
  readonly count: number;
  readonly metric: "cosine" | "l2";
  readonly analyzer: string;
  /** Null: nobody stamps it. */
  readonly indexHash: string | null;
}

/** What a vector store brings to its conformance run. */
export interface IndexWorld {
  /** One handle; every handle of a world sees the same store, as two processes would. */
  open(): IndexAliases;
  /** A handle on an address where nothing answers; null where there is nothing that could be away. */
  openAway(): IndexAliases | null;
  /** Builds an index of its own, as a build job would: rows that can be found, the stamp last. */
  build(index: string, wanted: WantedIndex): Promise<void>;
  /** Points the name to an index past every driver, as a person at a console would. */
  moveBehind(alias: string, index: string): Promise<void>;
  /** Begins every name; lower-case letters, digits and `_`, unique for each run. */
  readonly prefix: string;
  /** Closes every handle and removes what was built. */
  end(): Promise<void>;
}

export interface IndexCase {
  readonly name: string;
  run(scene: IndexScene): Promise<void>;
}

/** A world with two indexes and a name that points to the first, moved there by epoch 1. */
export interface IndexScene {
  readonly world: IndexWorld;
  readonly aliases: IndexAliases;
  readonly signal: AbortSignal;
  readonly live: string;
  readonly first: string;
  readonly second: string;
}

/** INDEX_HASH of the first and the second index of a scene. */
export const [FIRST_HASH, SECOND_HASH] = ["1".repeat(64), "2".repeat(64)] as const;

/** Builds the scene. */
export async function openScene(world: IndexWorld, signal: AbortSignal): Promise<IndexScene> {
  const [live, first, second] = ["live", "v1", "v2"].map((name) => `${world.prefix}_${name}`) as [
    string,
    string,
    string,
  ];
  await world.build(first, { count: 3, metric: "cosine", analyzer: "words", indexHash: FIRST_HASH });
  await world.build(second, { count: 5, metric: "l2", analyzer: "stems", indexHash: SECOND_HASH });
  const aliases = world.open();
  expectMoved(await aliases.flip({ alias: live, from: null, to: first, epoch: 1 }, signal), "the first flip of a name");
  return { world, aliases, signal, live, first, second };
}

export function expectMoved(result: FlipResult, what: string): void {
  assert(result.kind === "moved", `${what} was ${JSON.stringify(result)}, expected moved`);
}

/** Fails unless the flip is refused with a reason, and the name points to `index` all the while. */
export async function expectRefused(scene: IndexScene, flip: Partial<AliasFlip>, index: string | null): Promise<void> {
  const whole: AliasFlip = { alias: scene.live, from: scene.first, to: scene.second, epoch: 2, ...flip };
  const result = await scene.aliases.flip(whole, scene.signal);
  const asked = JSON.stringify(whole);
  assert(result.kind === "refused", `${asked} was moved, expected refused`);
  assert(result.why.trim() !== "", `${asked} was refused without a reason`);
  const found = result.found?.index ?? null;
  assert(found === index, `${asked} was refused because of ${found}, expected ${index}`);
  await expectTarget(scene, whole.alias, index);
}

/** Fails unless the store says, through another handle, that the name points there. */
export async function expectTarget(
  { world, signal }: IndexScene,
  alias: string,
  index: string | null,
): Promise<AliasTarget | null> {
  const found = await world.open().readAlias(alias, signal);
  assert((found?.index ?? null) === index, `${alias} points to ${found?.index ?? "nothing"}, expected ${index}`);
  return found;
}
