import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSluice, temporaryFolder } from "./run-sluice.ts";

const document = (more: string, strategy = "{ blueGreen: { effects: true } }") => `apiVersion: sluice/v1
kind: Rollout
metadata: { name: big-move }
spec:
  service: desk
  stable: { url: "http://127.0.0.1:4101/answer", release: r1, health: null }
  candidate: { url: "http://127.0.0.1:4102/answer", release: r2, health: null }
  route: { driver: gateway, listen: "127.0.0.1:4100", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  strategy: ${strategy}
  gates: [{ use: default }]
${more}`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function said(
  verb: readonly string[],
  text: string,
): Promise<{ readonly code: number | null; readonly text: string }> {
  const file = join(folder.path, "cutover.yaml");
  await writeFile(file, text);
  const { code, stdout, stderr } = await runSluice([...verb, file], { cwd: folder.path });
  return { code, text: stdout + stderr };
}

describe("a document that moves everything at once, at the command line", () => {
  it("is planned as its steps, each with its bound and its way back, and what nothing is frozen for is said", async () => {
    const planned = await said(["plan"], document(""));
    expect(planned.code).toBe(0);
    for (const line of [
      "big-move: everything of desk from r1 to r2",
      "1  freeze-writes",
      "2  flip-traffic      the candidate serves every user",
      "within 35s; back by traffic.publish",
      "effects are frozen for at most 30s, then everything goes back",
    ])
      expect(planned.text).toContain(line);
    const bare = await said(["plan"], document("", "{ blueGreen: {} }"));
    expect(bare.text).toContain("nothing is frozen: the document names no effects");
  });

  it("is told all of what it cannot have at once: a driver nobody has, shares, effects without an owner", async () => {
    const queue = `  queue: { driver: kafka, url: "k", from: a, to: b, consumers: { from: a, to: b }, pointer: p }\n`;
    const index = `  index: { driver: pgvector, url: "postgres://127.0.0.1/x", alias: live, from: same, to: same }\n`;
    const wrong = await said(
      ["validate"],
      document(`${queue}${index}  shadow: {}\n`, "{ blueGreen: { effects: false } }"),
    );
    expect(wrong.code).toBe(2);
    for (const code of ["E108", "E141", "E142", "E144"]) expect(wrong.text).toContain(code);
    const elsewhere = await said(["validate"], document(index, "{ pace: evidence }"));
    expect([elsewhere.code, elsewhere.text]).toEqual([2, expect.stringContaining("E140")]);
    const one = document("").replace("release: r2", "release: r1");
    expect(await said(["validate"], one)).toMatchObject({ code: 2, text: expect.stringContaining("E143") });
    const two = document("", "{ blueGreen: {}, pace: evidence }");
    expect((await said(["validate"], two)).text).toContain("both a pace and a cutover");
  });

  it("is not rehearsed by shares, and says what to look at instead", async () => {
    const { code, text } = await said(["simulate", "--policy"], document(""));
    expect([code, text]).toEqual([2, expect.stringContaining("there is no share to rehearse; see its steps with")]);
  });
});
