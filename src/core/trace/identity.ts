import type { ByArm } from "../arm.ts";
import { unmeasured, type Verdict } from "../verdict.ts";
import type { EventReader } from "./event-reader.ts";

/** Identity fields an event may carry, as people write them, and those that may not differ between the arms. */
const FIELDS = ["METRIC", "ANALYZER", "INDEX_HASH"] as const;
type Field = (typeof FIELDS)[number];
const EQUAL_FIELDS: readonly Field[] = ["METRIC", "ANALYZER"];

/** What one arm said it is, first and then otherwise. */
class ArmIdentity {
  events = 0;
  readonly first: Record<Field, string | null> = { METRIC: null, ANALYZER: null, INDEX_HASH: null };
  /** The first contradiction; null as long as there is none. */
  drift: string | null = null;

  note(field: Field, value: string | null): void {
    if (value === null || value === this.first[field]) return;
    if (this.first[field] === null) this.first[field] = value;
    else this.drift ??= `${field} ${this.first[field]} != ${value}`;
  }
}

/**
 * Gate `parity` on what events say of their arm: one arm has one METRIC, ANALYZER and INDEX_HASH, in every region and
 * all the time, and both arms have the same METRIC and ANALYZER. A hard rule: no statistics.
 * @source definitions.md §6 (SL-5, GQ-25, ST-4)
 */
export class TraceIdentity {
  readonly #arms: ByArm<ArmIdentity> = { stable: new ArmIdentity(), candidate: new ArmIdentity() };

  note(event: EventReader): void {
    const arm = this.#arms[event.arm];
    arm.events++;
    arm.note("METRIC", event.metric);
    arm.note("ANALYZER", event.analyzer);
    arm.note("INDEX_HASH", event.indexHash);
  }

  /** Null when no event of either arm states an identity: then there is nothing to compare, as without health checks. */
  verdict(): Verdict | null {
    const { stable, candidate } = this.#arms;
    if (FIELDS.every((field) => stable.first[field] === null && candidate.first[field] === null)) return null;
    const samples = { stable: stable.events, candidate: candidate.events };
    const hard = (kind: "pass" | "fail", reason: string): Verdict => ({
      ...unmeasured("parity", "no-data", reason),
      kind,
      samples,
    });
    const drifted = stable.drift !== null ? "stable" : candidate.drift !== null ? "candidate" : null;
    if (drifted !== null)
      return hard("fail", `events of ${drifted} disagree about their release: ${this.#arms[drifted].drift}`);
    const shared = EQUAL_FIELDS.filter((field) => stable.first[field] !== null && candidate.first[field] !== null);
    const differing = shared.filter((field) => stable.first[field] !== candidate.first[field]);
    if (differing.length > 0) {
      const listed = differing.map((field) => `${field} ${stable.first[field]} != ${candidate.first[field]}`);
      return hard("fail", `the arms differ in ${listed.join(", ")}`);
    }
    if (shared.length > 0) return hard("pass", `${shared.join(" and ")} agree, and no arm contradicts itself`);
    const needs = "events of both arms that state retrieval.metric and retrieval.analyzer";
    return unmeasured("parity", "no-data", "no identity field is stated by both arms", needs);
  }
}
