import type { Status } from "../../src/contract/status.ts";
import type { RoutingDocument } from "../../src/core/routing/document.ts";
import type { JournalEntry } from "../../src/core/rollout/journal-entry.ts";
import type { ChildController } from "./child.ts";
import { SimulatedGateway } from "./simulated-gateway.ts";

/** A simulated gateway that lives through the controller's deaths and compares every document it is given. */
export class Edge extends SimulatedGateway {
  readonly documents = new Map<string, string>();
  readonly conflicts: string[] = [];
  readonly servedBy = new Map<string, number>();

  async live(controller: ChildController): Promise<void> {
    const before = this.served.candidate;
    this.serve();
    const rolloutId = this.document.rolloutId ?? "";
    this.servedBy.set(rolloutId, (this.servedBy.get(rolloutId) ?? 0) + this.served.candidate - before);
    const authorization = `Bearer ${controller.token}`;
    const response = await fetch(`${controller.url}/v1/routing/support-rag`, { headers: { authorization } });
    if (response.ok) this.#meet((await response.json()) as RoutingDocument);
    const sent = this.waiting.slice(0, 400);
    const push = { gateway_id: this.gatewayId, windows: sent, adopted: this.epochSeq };
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(`${controller.url}/v1/telemetry`, {
      method: "POST",
      headers,
      body: JSON.stringify(push),
    });
    if (!answer.ok) throw new Error(`telemetry was answered with ${answer.status}: ${await answer.text()}`);
    const { acked } = (await answer.json()) as { acked: number };
    this.waiting = this.waiting.filter(({ seq }) => seq > acked);
  }

  #meet(document: RoutingDocument): void {
    const number = `${document.epoch}.${document.seq}`;
    const text = JSON.stringify(document);
    if ((this.documents.get(number) ?? text) !== text) this.conflicts.push(number);
    this.documents.set(number, text);
    const { epoch, seq } = this.epochSeq;
    if (document.epoch < epoch || (document.epoch === epoch && document.seq < seq))
      this.conflicts.push(`back to ${number}`);
    this.hear(document);
  }
}

/** A rollout of three short stages, at a fake service that `startHealth` started. */
export function rolloutText(name: string, healthUrl: string, hold = "600ms"): string {
  return `apiVersion: sluice/v1
kind: Rollout
metadata: { name: ${name} }
spec:
  service: support-rag
  stable: current
  startsFrom: { url: "${healthUrl}/answer" }
  candidate: { url: "${healthUrl}/${name}" }
  route: { driver: gateway, listen: "127.0.0.1:4000", trustedHeaders: [x-user-id], stickyBy: [{ header: x-user-id }], lease: 1s }
  strategy: { canary: { steps: [{ weight: 20, hold: ${hold} }, { weight: 50, hold: 300ms }, { weight: 100, hold: 300ms }] } }
  gates: [{ use: demo }]
`;
}

/** What an operator's terminal does at a controller that may die or lose its store at any moment. */
export class Operator {
  readonly refusals: string[] = [];
  controller: ChildController | null = null;

  /** Sends a change once; with the same key it is one action, however often it is sent. */
  async send(path: string, body: object, key: string): Promise<number | null> {
    if (this.controller === null) return null;
    const { url } = this.controller;
    const headers = { ...this.#headers(), "idempotency-key": key, "content-type": "application/json" };
    const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
    if (answer !== null && answer.status >= 400) this.refusals.push(await answer.text().catch(() => "cut"));
    return answer?.status ?? null;
  }

  apply(name: string, document: string): Promise<number | null> {
    const paths = { set: null, map: null, corpus: null };
    return this.send("/v1/rollouts", { document, file: "r.yaml", gold_digest: "", paths }, `apply-${name}`);
  }

  async status(name: string): Promise<Status | null> {
    const headers = this.#headers();
    const answer = await fetch(`${this.controller?.url}/v1/rollouts/${name}`, { headers }).catch(() => null);
    return answer?.ok ? ((await answer.json()) as Status) : null;
  }

  async journal(name: string): Promise<readonly JournalEntry[]> {
    const headers = this.#headers();
    const answer = await fetch(`${this.controller?.url}/v1/rollouts/${name}/journal`, { headers });
    return ((await answer.json()) as { entries: JournalEntry[] }).entries;
  }

  async isRunning(name: string | undefined): Promise<boolean> {
    if (name === undefined) return false;
    const status = await this.status(name);
    return status === null || status.ended_at === null;
  }

  #headers() {
    return { authorization: `Bearer ${this.controller?.token}` };
  }
}
