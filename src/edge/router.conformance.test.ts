import { describe, it } from "vitest";
import type { ServingArm } from "../core/arm.ts";
import { planeConformance, planeDocument, type PlaneWorld } from "../testing/plane-suite.ts";
import { createRouter } from "./router.ts";

async function open(publicKey: string): Promise<PlaneWorld> {
  let sent: Headers | null = null;
  const fetch = async (request: Request) => {
    sent = request.headers;
    return new Response("ok");
  };
  const router = createRouter({ document: planeDocument(1, 0), keys: [publicKey], fetch });
  return {
    offer: async (text) => (await router.updateDocument(text)).kind,
    async ask(fields) {
      const headers = new Headers(fields.map(([name, value]): [string, string] => [name, value]));
      const { headers: answered } = await router.handle(new Request("https://rag.example.org/", { headers }));
      const arm = answered.get("x-sluice-arm") as ServingArm;
      return { arm, toService: [...(sent ?? [])].flat(), toClient: [...answered].flat() };
    },
  };
}

describe("the edge router as a data plane", () => {
  planeConformance(open, it);
});
