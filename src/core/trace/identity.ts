import { parity } from "../judge/identity/parity.ts";
import type { ByArm } from "../arm.ts";
import { unmeasured, type Verdict } from "../verdict.ts";
import type { EventReader } from "./event-reader.ts";

/** Identity fields an event may carry, as people write them, and those that may not differ between the arms. */
const FIELDS = ["METRIC", "ANALYZER", "INDEX_HASH"] as const;
type Field = (typeof FIELDS)[number];
const EQUAL_FIELDS: readonly Field[] = ["METRIC", "ANALYZER"];

/**
 * First and last value of a field in the order of text; null when nothing stated it. Equal unless the arm disagrees.
 */
class Stated {
  low: string | null = null;
  high: string | null = null;

  add(value: string | null): void {
    if (value === null || value === this.low) return;
    if (this.low === null || value < this.low) this.low = value;
    if (this.high === null || value > this.high) this.high = value;
  }
}

/** What the events of one arm say it is. Does not depend on their order. */
export class ArmIdentity {
  readonly METRIC = new Stated();
  readonly ANALYZER = new Stated();
  readonly INDEX_HASH = new Stated();
  events = 0;

  note(event: EventReader): void {
    this.events++;
    this.METRIC.add(event.metric);
    this.ANALYZER.add(event.analyzer);
    this.INDEX_HASH.add(event.indexHash);
  }

  add(other: ArmIdentity): void {
    this.events += other.events;
    for (const field of FIELDS) {
      this[field].add(other[field].low);
      this[field].add(other[field].high);
    }
  }

  get isSilent(): boolean {
    return FIELDS.every((field) => this[field].low === null);
  }

  /** A field the arm states in two ways; null when it does not contradict itself. */
  get drift(): string | null {
    const field = FIELDS.find((name) => this[name].low !== this[name].high);
    return field === undefined ? null : `${field} ${this[field].low} != ${this[field].high}`;
  }
}

/**
 * Gate `parity` on what events say of their arm: one arm has one METRIC, ANALYZER and INDEX_HASH, in every region and
 * all the time, and both arms have the same METRIC and ANALYZER. A hard rule: no statistics.
 * @source definitions.md §6 (SL-5, GQ-25, ST-4)
 */
export class TraceIdentity {
  readonly #arms: ByArm<ArmIdentity> = { stable: new ArmIdentity(), candidate: new ArmIdentity() };

  add(second: ByArm<ArmIdentity>): void {
    this.#arms.stable.add(second.stable);
    this.#arms.candidate.add(second.candidate);
  }

  /**
   * Null when no event of either arm states an identity: then there is nothing to compare, as without health checks.
   */
  verdict(): Verdict | null {
    const { stable, candidate } = this.#arms;
    if (stable.isSilent && candidate.isSilent) return null;
    const samples = { stable: stable.events, candidate: candidate.events };
    const hard = (kind: "pass" | "fail", reason: string): Verdict => ({
      ...unmeasured(parity.name, "no-data", reason),
      kind,
      samples,
    });
    const drifted = stable.drift !== null ? "stable" : candidate.drift !== null ? "candidate" : null;
    if (drifted !== null)
      return hard("fail", `events of ${drifted} disagree about their release: ${this.#arms[drifted].drift}`);
    const shared = EQUAL_FIELDS.filter((field) => stable[field].low !== null && candidate[field].low !== null);
    const differing = shared.filter((field) => stable[field].low !== candidate[field].low);
    if (differing.length > 0) {
      const listed = differing.map((field) => `${field} ${stable[field].low} != ${candidate[field].low}`);
      return hard("fail", `the arms differ in ${listed.join(", ")}`);
    }
    if (shared.length > 0) return hard("pass", `${shared.join(" and ")} agree, and no arm contradicts itself`);
    const needs = "events of both arms that state retrieval.metric and retrieval.analyzer";
    return unmeasured(parity.name, "no-data", "no identity field is stated by both arms", needs);
  }
}
