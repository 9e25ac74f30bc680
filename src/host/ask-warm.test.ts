import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { ArmPlan } from "../core/stage/plan.ts";
import { warmAsker } from "./ask-warm.ts";
import { systemClock } from "./system-clock.ts";

describe("asking an arm what its users asked", () => {
  it("sends the question as no probe, tagged x-warm, with the namespace, and rejects when there is no good answer", async () => {
    const heard: { headers: IncomingHttpHeaders; body: unknown }[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as { question: string };
        heard.push({ headers: request.headers, body });
        response.writeHead(body.question === "bad" ? 503 : 200).end("{}");
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const answerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`;
    const arm: ArmPlan = { releaseId: "r", endpoints: [answerUrl], cachePrefix: "", healthUrl: null, answerUrl };
    const plan = { arms: { stable: arm, candidate: arm }, probes: null };
    const [ask, to] = [warmAsker(systemClock()), { arm: "candidate", namespace: "green:" } as const];
    const never = new AbortController().signal;
    await ask(plan, to, "what is a lease?", never);
    expect(heard[0]?.headers).toMatchObject({ "x-warm": "true", "x-cache-namespace": "green:" });
    expect(heard[0]?.body).toEqual({ question: "what is a lease?", k: 10, seed: null, probe: false });
    await expect(ask(plan, to, "bad", never)).rejects.toMatchObject({ code: "rejected" });
    await expect(ask(plan, to, "late", AbortSignal.abort())).rejects.toThrow("abort");
    const nowhere = { arms: { ...plan.arms, candidate: { ...arm, answerUrl: null } }, probes: null };
    await expect(ask(nowhere, to, "x", never)).rejects.toMatchObject({ code: "unsupported" });
    server.closeAllConnections();
    await once(server.close(), "close");
  });
});
