import { assert } from "../core/assert.ts";
import { expectMoved, expectRefused, expectTarget, type IndexCase, SECOND_HASH } from "./index-world.ts";

const WRITERS = 6;

/** Flips that move a name, and what is read of it then. */
export const flipCases: readonly IndexCase[] = [
  {
    name: "moves the name from one index to the other, and every handle reads it back",
    async run(scene) {
      const { aliases, signal, live, first, second } = scene;
      expectMoved(await aliases.flip({ alias: live, from: first, to: second, epoch: 2 }, signal), "a flip");
      const found = await expectTarget(scene, live, second);
      if (!aliases.can.epochs) return;
      assert(found?.epoch === 2, `the name was moved by epoch ${found?.epoch}, expected 2`);
      assert(found.previous === first, `it pointed to ${found.previous} before, expected ${first}`);
    },
  },
  {
    name: "says moved to the same flip again, and changes nothing more",
    async run(scene) {
      const { aliases, signal, live, first, second } = scene;
      for (let time = 0; time < 3; time++) {
        expectMoved(await aliases.flip({ alias: live, from: first, to: second, epoch: 2 }, signal), `flip ${time}`);
      }
      const found = await expectTarget(scene, live, second);
      const isKept = !aliases.can.epochs || found?.previous === first;
      assert(isKept, `it pointed to ${found?.previous} before, expected ${first}`);
    },
  },
  {
    name: "moves the name back, and forth again",
    async run(scene) {
      const { aliases, signal, live, first, second } = scene;
      for (const [epoch, from, to] of [
        [2, first, second],
        [3, second, first],
        [4, first, second],
      ] as const) {
        expectMoved(await aliases.flip({ alias: live, from, to, epoch }, signal), `flip ${epoch}`);
        await expectTarget(scene, live, to);
      }
    },
  },
  {
    name: "keeps names apart",
    async run(scene) {
      const { aliases, world, signal, live, first, second } = scene;
      const other = `${world.prefix}_other`;
      expectMoved(await aliases.flip({ alias: other, from: null, to: second, epoch: 9 }, signal), "another name");
      await expectTarget(scene, live, first);
      expectMoved(await aliases.flip({ alias: live, from: first, to: second, epoch: 2 }, signal), "the first name");
    },
  },
  {
    name: "lets exactly one of several writers win, and points to that one's index",
    async run({ world, signal, live, first }) {
      const targets = Array.from({ length: WRITERS }, (_, writer) => `${world.prefix}_w${writer}`);
      const wanted = { count: 1, metric: "cosine", analyzer: "words", indexHash: SECOND_HASH } as const;
      for (const target of targets) await world.build(target, wanted);
      const results = await Promise.all(
        targets.map((to, writer) => world.open().flip({ alias: live, from: first, to, epoch: 2 + writer }, signal)),
      );
      const winners = targets.filter((_, writer) => results[writer]?.kind === "moved");
      assert(winners.length === 1, `${winners.length} of ${WRITERS} writers moved the name, expected 1`);
      const found = await world.open().readAlias(live, signal);
      assert(found?.index === winners[0], `the name points to ${found?.index}, its one writer wanted ${winners[0]}`);
    },
  },
  {
    name: "never removes or changes an index, whatever is flipped",
    async run({ aliases, signal, live, first, second }) {
      const before = [await aliases.describe(first, signal), await aliases.describe(second, signal)];
      await aliases.flip({ alias: live, from: first, to: second, epoch: 2 }, signal);
      await aliases.flip({ alias: live, from: second, to: first, epoch: 3 }, signal);
      await aliases.flip({ alias: live, from: second, to: first, epoch: 1 }, signal);
      const after = [await aliases.describe(first, signal), await aliases.describe(second, signal)];
      const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
      assert(was === is && before.every((facts) => facts !== null), `the indexes were ${was} and are ${is}`);
    },
  },
];

/** Flips that must move nothing. */
export const refusalCases: readonly IndexCase[] = [
  {
    name: "refuses a flip from an index that the name does not point to",
    async run(scene) {
      await expectRefused(scene, { from: `${scene.world.prefix}_v0`, epoch: 7 }, scene.first);
      await scene.aliases.flip({ alias: scene.live, from: scene.first, to: scene.second, epoch: 8 }, scene.signal);
      const third = `${scene.world.prefix}_v3`;
      await scene.world.build(third, { count: 1, metric: "l2", analyzer: "words", indexHash: null });
      await expectRefused(scene, { from: scene.first, to: third, epoch: 9 }, scene.second);
    },
  },
  {
    name: "refuses a flip of a name that is not there, and one that makes a name that is",
    async run(scene) {
      await expectRefused(scene, { alias: `${scene.world.prefix}_none` }, null);
      await expectRefused(scene, { from: null }, scene.first);
    },
  },
  {
    name: "refuses to point a name, there or not, to an index that is not",
    async run(scene) {
      const nowhere = `${scene.world.prefix}_v0`;
      await expectRefused(scene, { to: nowhere }, scene.first);
      await expectRefused(scene, { alias: `${scene.world.prefix}_new`, from: null, to: nowhere }, null);
    },
  },
  {
    name: "refuses a lower epoch than the name was moved by, though it still points to `from`",
    async run(scene) {
      const { aliases, signal, live, first, second } = scene;
      await aliases.flip({ alias: live, from: first, to: second, epoch: 5 }, signal);
      await aliases.flip({ alias: live, from: second, to: first, epoch: 6 }, signal);
      await expectRefused(scene, { epoch: 5 }, first);
      await expectRefused(scene, { from: second, to: first, epoch: 5 }, first);
    },
  },
  {
    name: "refuses another flip of the epoch that moved the name",
    async run(scene) {
      const { aliases, signal, live, first, second } = scene;
      await aliases.flip({ alias: live, from: first, to: second, epoch: 5 }, signal);
      await expectRefused(scene, { from: second, to: first, epoch: 5 }, second);
    },
  },
  {
    name: "refuses an older flip after the same move was made by a newer one",
    async run(scene) {
      const { aliases, signal, live, first, second } = scene;
      await aliases.flip({ alias: live, from: first, to: second, epoch: 2 }, signal);
      expectMoved(await aliases.flip({ alias: live, from: first, to: second, epoch: 6 }, signal), "the newer one");
      await expectRefused(scene, { from: second, to: first, epoch: 4 }, second);
    },
  },
];
