import { type Idempotency, nodeIdempotency } from "../../dist/fence/index.js";
import { playNode } from "./node-scenes.ts";
import { Runs } from "./scenes.ts";
import { ABANDONED_MS, serveBoth } from "./serve.ts";
import type { Framework } from "./suite.ts";

export const NODE: Framework = {
  name: "node:http",
  lacks: {
    "answer: the framework's own JSON": "there is none",
    "answer: the framework's own file sending": "there is none",
    "answer: the framework's 4xx error": "there is none",
    "answer: a timeout's 503": "there is none",
  },
  async start() {
    const runs = new Runs();
    const both = await serveBoth((fence: Idempotency | null) => {
      const handler = (req: any, res: any) => {
        runs.count(req.headers["idempotency-key"]);
        return playNode(req.url.slice(1), req, res);
      };
      const listener = fence === null ? handler : nodeIdempotency(fence, handler, { abandonedMs: ABANDONED_MS });
      // A bare server would end its process; the suite ends the connection instead.
      return (req, res) => void listener(req, res).catch(() => res.writableEnded || res.destroy());
    });
    return { ...both, runs };
  },
};
