import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayHeard } from "./gateway-heard.ts";
import { FACTS, otherShapeService } from "./other-shape-service.ts";
import { type RunningSluice, runSluice, startSluice, temporaryFolder } from "./run-sluice.ts";

const MAP = `request:
  question: /query
  k: /top
response:
  answer: /result/reply
  retrieved: /result/sources
  passage: { doc: /origin, section: /part, text: /excerpt }
  citations: /result/used
  citation: { doc: /origin, section: /part }
`;

function goldSet(): string {
  return FACTS.map(([topic, question], index) => {
    const phrasings = [question, `Please tell me: ${question}`, `I wonder, ${question}`].map((text) =>
      JSON.stringify(text),
    );
    const gold = `[{ doc: ${topic}, section: fact-${index + 1} }]`;
    return `- { id: q${index + 1}, topic: ${topic}, phrasings: [${phrasings.join(", ")}], answerable: true, gold: ${gold} }`;
  }).join("\n");
}

describe("your own two URLs, followed step by step against a service of another shape", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const services: Awaited<ReturnType<typeof otherShapeService>>[] = [];
  const running: RunningSluice[] = [];
  const file = (name: string) => join(folder.path, name);
  const start = (...argv: string[]): RunningSluice => {
    const started = startSluice(argv);
    running.push(started);
    return started;
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    services.push(await otherShapeService(), await otherShapeService());
  });
  afterAll(async () => {
    for (const one of running.reverse()) await one.stop();
    for (const service of services) await service.close();
    await folder.remove();
  });

  it("init, edit, serve, gateway, apply --watch: promoted with exit 0; report and explain agree", async () => {
    const [stable, candidate] = services as [(typeof services)[0], (typeof services)[0]];
    const flags = ["--dir", folder.path, "--service", "desk", "--stable", stable.url, "--candidate", candidate.url];
    expect((await runSluice(["init", ...flags])).code).toBe(0);
    expect(await runSluice(["init", ...flags])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not overwritten"),
    });

    const text = await readFile(file("rollout.yaml"), "utf8");
    const edited = text
      .replaceAll("# health: null  ", "health: null")
      .replace(`url: ${candidate.url}`, `url: ${candidate.url}\n    health: null`)
      .replace("# map: map.yaml", "map: map.yaml")
      .replace("listen: 127.0.0.1:4000", "listen: 127.0.0.1:0")
      .replace("    pace: evidence", "    #")
      .replace("# canary:", "canary:")
      .replace("weight: 10, hold: 15m", "weight: 20, hold: 2s, cap: 60s")
      .replace("weight: 50, hold: 30m", "weight: 50, hold: 2s, cap: 60s")
      .replace("watch: 1h", "watch: 1s")
      .replace("use: default", "use: demo");
    await writeFile(file("rollout.yaml"), edited);
    await writeFile(file("map.yaml"), MAP);
    await writeFile(file("gold.yaml"), goldSet());
    expect(await runSluice(["validate", file("rollout.yaml")])).toMatchObject({ code: 0 });

    const data = file("data");
    const controller = await start("serve", "--json", "--data", data, "--port", "0").ready;
    const gateway = start("gateway", file("rollout.yaml"), "--json", "--data", data);
    const { url } = await gateway.ready;
    const users = setInterval(() => {
      for (let user = 0; user < 15; user++) {
        const headers = {
          "content-type": "application/json",
          "x-user-id": `user-${Math.floor(Math.random() * 5_000)}`,
        };
        const body = JSON.stringify({ query: FACTS[user % FACTS.length]?.[1] });
        void fetch(`${url}/v2/chat`, { method: "POST", headers, body })
          .then((answer) => answer.arrayBuffer())
          .catch(() => {});
      }
    }, 50);
    try {
      await gatewayHeard(controller["url"], data);
      const applied = await runSluice(["apply", file("rollout.yaml"), "--watch", "--data", data]);
      expect([applied.code, applied.stderr]).toEqual([0, expect.stringContaining("PROMOTED")]);
    } finally {
      clearInterval(users);
    }
    expect(candidate.asked()).toBeGreaterThan(100);

    const reports = await Promise.all([1, 2].map(() => runSluice(["report", "desk-1", "--data", data])));
    expect(reports[0]?.stdout).toContain("# Rollout desk-1, generation 1: promoted");
    expect(reports[0]?.stdout).toBe(reports[1]?.stdout);
    const explained = await runSluice(["explain", "desk-1", "coverage", "--data", data]);
    expect([explained.code, explained.stdout]).toEqual([
      0,
      expect.stringMatching(/gate coverage PASS {2}\(preset demo@2\)/),
    ]);
    expect((await runSluice(["rollback", "desk-1", "--data", data])).code).toBe(0);
    expect((await runSluice(["watch", "desk-1", "--data", data, "--timeout", "20"])).code).toBe(10);
  }, 120_000);
});
