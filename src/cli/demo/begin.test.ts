import { describe, expect, it } from "vitest";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { beginWhenReady } from "./begin.ts";
import { demandFor } from "./demand.ts";

const refusal = (title: string) => new CliError(EXIT.toolError, `${title}: words`, title);

/** Refuses with each of the titles in turn, then begins. */
function controller(...titles: string[]) {
  const notes: string[] = [];
  const begun = beginWhenReady(
    async () => {
      const title = titles.shift();
      if (title !== undefined) throw refusal(title);
      return "begun";
    },
    (text) => notes.push(text),
    async () => {},
  );
  return { begun, notes };
}

describe("beginning a rollout of the demo", () => {
  it("waits for a gateway that is not heard of and for services that are slow to be ready, and says so once each", async () => {
    const { begun, notes } = controller(
      "no-gateway",
      "no-gateway",
      "target-unreachable",
      "target-unreachable",
      "unreachable",
    );
    expect(await begun).toBe("begun");
    expect(notes).toEqual([
      "not yet: no-gateway: words",
      "not yet: target-unreachable: words",
      "not yet: unreachable: words",
    ]);
  });

  it.each(["conflict", "invalid-document", "probes-unfit"])("takes %s for an answer", async (title) => {
    await expect(controller(title).begun).rejects.toThrow(title);
  });
});

describe("how fast users ask in a demo", () => {
  it.each([
    [2_000, 200, 1],
    [600, 200, 1],
    [300, 100, 2],
    [10, 40, 5],
  ])("on a machine that answers %i a second is %i, and evidence takes %i times as long", (answered, rate, slowness) => {
    expect(demandFor(answered)).toEqual({ requestsPerSecond: rate, slowness });
  });
});
