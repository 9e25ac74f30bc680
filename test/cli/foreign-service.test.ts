import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayHeard } from "./gateway-heard.ts";
import { FACTS, otherShapeService } from "./other-shape-service.ts";
import { type RunningSluice, startSluice, temporaryFolder } from "./run-sluice.ts";
import { sluiceInProcess } from "./sluice-in-process.ts";

const MAP = `request: { question: /query, k: /top }
response:
  answer: /result/reply
  retrieved: /result/sources
  passage: { doc: /origin, section: /part, text: /excerpt }
  citations: /result/used
  citation: { doc: /origin, section: /part }
`;

/** A fake that refuses everybody without a key, and repeats what it was sent in its refusal. */
async function keyed(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    request
      .resume()
      .on("end", () => response.writeHead(401).end(`no key in ${request.headers["x-api-key"] ?? "nothing"}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/chat`, close };
}

const goldSet = (doc: (topic: string) => string) =>
  FACTS.map(([topic, question], index) => {
    const phrasings = [question, `Please tell me: ${question}`, `I wonder, ${question}`];
    const gold = [{ doc: doc(topic), section: `fact-${index + 1}` }];
    return JSON.stringify({ id: `q${index + 1}`, topic, phrasings, answerable: true, gold });
  }).join("\n");

describe("what no probe could pass is told before a rollout begins", { timeout: 120_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const closed: (() => Promise<unknown>)[] = [];
  const running: RunningSluice[] = [];
  const file = (name: string) => join(folder.path, name);
  let urls: { readonly open: readonly [string, string]; readonly keyed: string };

  beforeAll(async () => {
    folder = await temporaryFolder();
    const services = [await otherShapeService(), await otherShapeService(), await keyed()] as const;
    closed.push(...services.map((service) => () => service.close()));
    urls = { open: [services[0].url, services[1].url], keyed: services[2].url };
    await writeFile(file("map.yaml"), MAP);
    await writeFile(file("wrong-map.yaml"), MAP.replace("/result/reply", "/result/txt"));
    await writeFile(
      file("gold.jsonl"),
      goldSet((topic) => topic),
    );
    await writeFile(
      file("other.jsonl"),
      goldSet((topic) => topic.toUpperCase()),
    );
    await writeFile(file("document.yaml"), document());
    running.push(startSluice(["serve", "--json", "--data", file("data"), "--port", "0"]));
    const controller = await running[0]?.ready;
    running.push(startSluice(["gateway", file("document.yaml"), "--json", "--data", file("data")]));
    await gatewayHeard(controller?.["url"], file("data"));
  });
  afterAll(async () => {
    for (const one of running.reverse()) await one.stop();
    for (const close of closed) await close();
    await folder.remove();
  });

  function document(
    over: { name?: string; stable?: string; gold?: string; map?: string; more?: string; health?: string } = {},
  ): string {
    return `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${over.name ?? "desk-1"} }
spec:
  service: desk
  stable: { url: "${over.stable ?? urls.open[0]}", health: ${over.health ?? "null"} }
  candidate: { url: "${urls.open[1]}", health: ${over.health ?? "null"} }
  route: { driver: gateway, listen: "127.0.0.1:0", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }] }
  probes: { set: ${over.gold ?? "gold.jsonl"}, map: ${over.map ?? "map.yaml"} }
${over.more ?? ""}  gates: [{ use: demo }]
`;
  }

  async function tried(command: "apply" | "doctor" | "plan", over: Parameters<typeof document>[0]) {
    await writeFile(file("tried.yaml"), document(over));
    const { code, stdout, stderr } = await sluiceInProcess(command, file("tried.yaml"), "--data", file("data"));
    return { code, said: stdout + stderr };
  }

  it("a service that wants a key: apply and doctor say 401, what it answered and where", async () => {
    const { code, said } = await tried("apply", { stable: urls.keyed });
    expect(code).toBe(1);
    expect(said).toContain(`4 of 4 questions to stable at ${urls.keyed} answered 401: no key in nothing`);
    expect(said).toContain("nothing was begun");
    const asked = await tried("doctor", { stable: urls.keyed });
    expect([asked.code, asked.said]).toEqual([1, expect.stringContaining("nothing: the probe answered 401")]);
  });

  it("the same service with its key: probe takes it as --header from the environment, and never prints it", async () => {
    process.env["DESK_KEY"] = "s3cret-of-the-desk";
    const gold = ["--gold", file("gold.jsonl"), "--map", file("map.yaml"), "--tier", "smoke", "--repeats", "1"];
    const header = ["--header", "x-api-key: ${DESK_KEY}"];
    const { code, stdout, stderr } = await sluiceInProcess("probe", "--target", urls.keyed, ...gold, ...header);
    delete process.env["DESK_KEY"];
    expect([code, stdout + stderr]).toEqual([1, expect.stringMatching(/401.*no key in (?!nothing)/s)]);
    expect(stdout + stderr).not.toContain("s3cret");
  });

  it("two addresses of one release: doctor says that there is nothing to compare", async () => {
    const more = "  healthMap: { release_id: { value: r1 }, INDEX_HASH: { value: a1 } }\n";
    const { code, said } = await tried("doctor", { health: urls.open[0], more });
    expect([code, said]).toEqual([0, expect.stringContaining("both arms state the same release r1 in every field")]);
  });

  it("a variable that is not set: the text names it", async () => {
    const more = '  access: { headers: { x-api-key: "${DESK_KEY_NOT_SET}" } }\n';
    const { code, said } = await tried("apply", { more });
    expect([code, said]).toEqual([2, expect.stringContaining("the variable DESK_KEY_NOT_SET is not set")]);
  });

  it("gold of another spelling: apply says which ids the set names and which come back", async () => {
    const { code, said } = await tried("apply", { gold: "other.jsonl" });
    expect(code).toBe(2);
    expect(said).toMatch(
      /0 of 10 gold ids are among the \d+ sections that both arms returned; the set names ORDERS fact-1/,
    );
  });

  it("a pointer that leads nowhere: apply quotes it with what is there", async () => {
    const { code, said } = await tried("apply", { map: "wrong-map.yaml" });
    expect(code).toBe(2);
    expect(said).toContain(
      "pointer /result/txt (answer) leads nowhere: /result has reply, sources, used in 4 of 4 answers",
    );
  });

  it("plan says what the set can see, the longest way back, and that identity is not checked", async () => {
    const { said } = await tried("plan", {});
    expect(said).toContain(
      "gold set: 10 questions, 60 requests to each arm a run; detectable drop: a coverage drop of 0.26",
    );
    expect(said).toContain("identity is not checked: stable and candidate have no health endpoint");
    expect(said).toMatch(/idle within \S+ at worst/);
  });

  it("nothing of all this began a rollout", async () => {
    const { stdout } = await sluiceInProcess("status", "--json", "--data", file("data"));
    expect(stdout).not.toContain("desk-1");
    expect((await tried("doctor", {})).code).toBe(0);
  });

  it("a rollout in the way, or no gateway: doctor says what apply would say", async () => {
    expect((await tried("apply", {})).code).toBe(0);
    const second = await tried("doctor", { name: "desk-2" });
    expect([second.code, second.said]).toEqual([
      1,
      expect.stringMatching(
        /BAD .*controller[\s\S]*rollout desk-1 of the service is \w+: wait for its end, or sluice abort/,
      ),
    ]);
    await sluiceInProcess("abort", "desk-1", "--data", file("data"));
    await running[1]?.stop();
    const alone = await tried("doctor", { name: "desk-2" });
    expect([alone.code, alone.said]).toEqual([1, expect.stringContaining("0 gateways of desk connected; start one")]);
  });
});
