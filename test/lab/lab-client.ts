import { type LabOptions, type LabService, serveLab } from "../../src/lab/serve.ts";

/** The answer of the probe contract, as it comes over the wire. */
export interface WireAnswer {
  answer: string;
  refused: boolean;
  retrieved: { doc: string; section: string; start: number; end: number; text: string; score: number }[];
  citations: { doc: string; section: string }[];
  timings_ms: { retrieve: number; rerank: number; reason: number };
}

/** Runs `use` against a service without model time (unless asked for) on a free port, and stops it. */
export async function withLab<T>(options: LabOptions, use: (lab: LabService) => Promise<T>): Promise<T> {
  const lab = await serveLab({ modelMs: 0, seed: 7, ...options });
  try {
    return await use(lab);
  } finally {
    await lab.close();
  }
}

export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, {
    method: "POST",
    body: text,
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
}

export async function ask(url: string, question: string, k = 5): Promise<WireAnswer> {
  const response = await post(url, { question, k, seed: null, probe: true });
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`);
  return (await response.json()) as WireAnswer;
}

/** Parses a whole event stream: events in order with the text of their data. */
export function parseEvents(text: string): { event: string; data: string }[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const field = (name: string): string[] => {
        return block.split("\n").flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
      };
      return { event: field("event").join(""), data: field("data").join("\n") };
    });
}
