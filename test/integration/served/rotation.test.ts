import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RoutingDocument } from "../../../src/core/routing/document.ts";
import { kidOf } from "../../../src/core/routing/signature.ts";
import { MAIN } from "../../cli/run-sluice.ts";
import { inThisProcess } from "../../cli/sluice-in-process.ts";
import { Served, SERVICE } from "./world.ts";

let served: Served;
beforeAll(async () => {
  served = await Served.open(3_000, inThisProcess);
  await served.everybodyOnCandidate("second");
}, 180_000);
afterAll(() => served.close());

const kept = async (): Promise<RoutingDocument> =>
  JSON.parse(await readFile(join(served.dataDir, `gateway-${SERVICE}.json`), "utf8")) as RoutingDocument;
const show = async () =>
  JSON.parse(await served.must(0, "key", "show", "--json")) as { readonly kid: string; readonly public_key: string };

describe("sluice key rotate", () => {
  let first: { readonly kid: string; readonly public_key: string };

  it("signs with a new key while everybody is on the candidate: for longer than a lease nobody moves", async () => {
    first = await show();
    const before = await kept();
    expect([first.kid, before.kid]).toEqual([kidOf(first.public_key), first.kid]);
    await served.must(0, "key", "rotate");
    const second = await show();
    expect(second.kid).not.toBe(first.kid);
    expect(await served.armsWithin(4_500)).toEqual(["candidate"]);
    const after = await kept();
    expect([after.kid, after.epoch, after.seq]).toEqual([second.kid, before.epoch, before.seq]);
    const known = await readFile(join(served.dataDir, "controller-key"), "utf8");
    expect(known.trim().split("\n")).toEqual([second.public_key, `retired ${first.public_key}`]);
  }, 180_000);

  it("is remembered over a restart of gateway and controller", async () => {
    await served.gateway.stop("SIGKILL");
    await served.controller.stop("SIGKILL");
    await served.startController();
    await served.startGateway();
    await served.until("everybody on the candidate", async () => (await served.armNow()) === "candidate");
    expect((await kept()).kid).toBe((await show()).kid);
  }, 180_000);

  it("reaches a gateway elsewhere that was told the key before, which does not go back to it", async () => {
    const far = served.path("far");
    await mkdir(far);
    await cp(join(served.dataDir, "gateway-token"), join(far, "gateway-token"));
    await served.document("far", 100, 0);
    const start = async (isDone: string): Promise<string> => {
      const more = ["--controller", served.controllerUrl, "--controller-key", first.public_key];
      const gateway = served.start("gateway", served.path("far.yaml"), "--data", far, ...more);
      await gateway.ready;
      await served.until(isDone, async () => gateway.said().includes(isDone));
      return (await gateway.stop("SIGKILL")).stderr;
    };
    const { kid, public_key: second } = await show();
    await start(`the controller signs with key ${kid} from now on`);
    expect((await readFile(join(far, "controller-key"), "utf8")).split("\n")[0]).toBe(second);
    await start(`key ${first.kid} of --controller-key has handed over to another one`);
  }, 180_000);

  it("is part of the hand-over of a credential for gateways, and needs the owner's token", async () => {
    const { public_key: key } = await show();
    const said = await served.must(0, "token", "create", "far", "--scope", "gateway");
    expect(said).toMatch(new RegExp(`sluice token use --controller http\\S+ --gateway --controller-key ${key}`));
    // A gateway that runs already, and has nothing yet, follows as soon as the printed command was given there.
    const farthest = served.path("farthest");
    const gateway = served.start("gateway", served.path("far.yaml"), "--data", farthest);
    await gateway.ready;
    const [, handed = "", argv = ""] = /echo (\S+) \| sluice (token use .*)/.exec(said) ?? [];
    const used = spawnSync(process.execPath, [MAIN, ...argv.split(" "), "--data", farthest], { input: handed });
    expect([used.status, String(used.stderr)]).toEqual([0, expect.stringContaining("speaks to")]);
    const followed = async () =>
      (await readFile(join(farthest, `gateway-${SERVICE}.json`), "utf8")).includes('"kid":"');
    await served.until("the gateway that was handed its credential", followed);
    expect((await gateway.stop("SIGKILL")).stderr).toMatch(
      /no controller owns .*farthest yet; serving by the last document/,
    );
    const secret = (await readFile(join(served.dataDir, "gateway-token"), "utf8")).trim();
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const body = JSON.stringify({ from: (await show()).kid });
    const answer = await fetch(`${served.controllerUrl}/v1/key/rotate`, { method: "POST", headers, body });
    expect(answer.status).toBe(403);
  }, 180_000);
});
