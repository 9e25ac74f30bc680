import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RoutingDocument } from "../../../src/core/routing/document.ts";
import { kidOf, signedTextOf } from "../../../src/core/routing/signature.ts";
import { sealed } from "../../../src/controller/sealed-document.ts";
import { bp } from "../../../src/core/unit.ts";
import { Impostor } from "./impostor.ts";
import { Served, SERVICE } from "./world.ts";

const LEASE_MS = 3_000;

let served: Served;
let impostor: Impostor | null = null;
beforeAll(async () => {
  served = await Served.open(LEASE_MS);
  await served.everybodyOnCandidate("second");
}, 180_000);
afterEach(async () => {
  await impostor?.close();
  impostor = null;
});
afterAll(() => served.close());

const inForce = async (): Promise<RoutingDocument> =>
  JSON.parse(await readFile(join(served.dataDir, `gateway-${SERVICE}.json`), "utf8")) as RoutingDocument;
const trueKey = async () => (await readFile(join(served.dataDir, "controller-key"), "utf8")).trim();

/** Takes the dead controller's port and waits until the gateway follows. */
async function takeThePort(): Promise<Impostor> {
  await served.controller.stop("SIGKILL");
  const found = (impostor = await Impostor.on(served.controllerPort));
  await served.until("the gateway at the impostor", async () => found.followers > 0 && found.pushes > 1);
  return found;
}

describe("an impostor on the controller's port", () => {
  it("makes a gateway adopt none of its documents and renews no lease, though it has the gateway's credential", async () => {
    const genuine = await inForce();
    const key = await trueKey();
    const evil = await takeThePort();
    evil.store = String(genuine.store);
    const everybody = { ...genuine, epoch: genuine.epoch + 1, lease: null, candidateBp: bp(10_000) };
    const underItsName = { ...everybody, kid: kidOf(key) };
    const link = await evil.signer.linkFrom(key, evil.signer.current);
    const bad: readonly (readonly [why: string, document: RoutingDocument])[] = [
      ["it is not signed", { ...everybody, kid: null, signature: null }],
      ["somebody changed it", everybody], // The genuine signature, over other words.
      ["not known here", await sealed(everybody, evil.signer)],
      [
        "somebody changed it",
        { ...underItsName, signature: await evil.signer.current.sign(signedTextOf(underItsName)) },
      ],
      [
        "not known here",
        await sealed(everybody, { ...evil.signer, current: { ...evil.signer.current, succession: [link] } }),
      ],
    ];
    for (const [index, [why, document]] of bad.entries()) {
      const { epoch } = document;
      evil.refused.length = 0;
      evil.publish(JSON.stringify(document));
      await served.until(`refusal ${index}, ${why}`, async () => evil.refused.at(-1)?.includes(why) === true);
      expect(evil.lastRefused).toEqual({ epoch, seq: genuine.seq });
    }
    const granted = evil.grants;
    evil.key = key; // From now on the leases claim to be by the true key.
    await served.until("every user on stable", async () => (await served.armNow()) === "stable", LEASE_MS + 2_000);
    await served.until("more leases of it", async () => evil.grants > granted + 4);
    expect(await served.armsWithin(500)).toEqual(["stable"]);
    expect(await inForce()).toEqual(genuine);
  }, 180_000);

  it("is forgotten as soon as the controller is back: the users who were on the candidate are there again", async () => {
    await served.startController();
    await served.until("everybody on the candidate", async () => (await served.armNow()) === "candidate");
    expect((await served.status("second")).phase).toBe("progressing");
  }, 180_000);

  it("is believed by a gateway that was told to accept unsigned documents, which says so at its start and in the list", async () => {
    await served.gateway.stop("SIGKILL");
    await served.startGateway("--accept-unsigned");
    await served.until("its report", async () => (await served.must(0, "gateways")).includes("accepts unsigned"));
    expect(await served.must(0, "status", "second")).toContain("WARNING accepts documents that nobody signed");
    const genuine = await inForce();
    const evil = await takeThePort();
    evil.publish(JSON.stringify({ ...genuine, epoch: genuine.epoch + 1, kid: null, signature: null, lease: null }));
    await served.until("its document in force", async () => (await inForce()).epoch === genuine.epoch + 1);
    const { stderr } = await served.gateway.stop("SIGKILL");
    expect(stderr).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z WARNING: this gateway accepts unsigned routing documents/m);
  }, 180_000);
});

describe("a gateway on another machine", () => {
  /** What it said until `isDone`. */
  const said = async (dataDir: string, isDone: RegExp | (() => boolean), ...more: readonly string[]) => {
    await served.document("far");
    const gateway = served.start(
      "gateway",
      served.path("far.yaml"),
      "--data",
      dataDir,
      "--controller",
      served.controllerUrl,
      ...more,
    );
    await gateway.ready;
    const isThere = typeof isDone === "function" ? isDone : () => isDone.test(gateway.said());
    await served.until(`${String(isDone)} of ${gateway.said()}`, async () => isThere());
    return (await gateway.stop("SIGKILL")).stderr;
  };

  it("without a credential, with an empty one or with something else says so, with file and advice", async () => {
    const far = served.path("far");
    await mkdir(far);
    const isHeard = /gateway-token/;
    expect(await said(far, isHeard)).toMatch(/far\/gateway-token is missing.*sluice token create NAME --scope gateway/);
    await writeFile(join(far, "gateway-token"), "");
    const empty = /far\/gateway-token is empty, expected the credential for the controller at http/;
    expect(await said(far, isHeard)).toMatch(empty);
    await writeFile(join(far, "gateway-token"), "not a token\n");
    expect(await said(far, isHeard)).toMatch(/far\/gateway-token holds no token/);
  }, 180_000);

  it("without the controller's key says so and takes no document; with it, by flag or file, it follows", async () => {
    await served.startController();
    const far = served.path("farther");
    await mkdir(far);
    await cp(join(served.dataDir, "gateway-token"), join(far, "gateway-token"));
    const blind = await said(far, /is not taken/);
    expect(blind).toMatch(
      /no key of the controller at \S+ is known, so its documents are refused; name it with --controller-key/,
    );
    expect(blind).toMatch(/the document in force at \S+ is not taken: its key [0-9a-f]{16} is not known here/);
    const kept = join(far, `gateway-${SERVICE}.json`);
    for (const key of [(await trueKey()).toString(), join(served.dataDir, "controller-key")]) {
      await rm(kept, { force: true });
      const follows = () => existsSync(kept) && readFileSync(kept, "utf8").includes('"kid":"');
      expect(await said(far, follows, "--controller-key", key)).not.toMatch(/refused|not taken/);
    }
    const wrong = await served.sluice("gateway", served.path("far.yaml"), "--controller-key", "ed25519:12");
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/--controller-key ed25519:12 holds "ed25519:12"; expected/),
    ]);
  }, 180_000);
});
