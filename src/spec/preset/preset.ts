import type { GateName, GateOptions } from "../../core/judge/gates.ts";
import type { ShareRange } from "../../core/judge/setting.ts";
import type { PacePlan } from "../../core/stage/pace.ts";
import type { RolloutPlan, Stage } from "../../core/stage/plan.ts";

/** Options of some gates, each whole or in part. */
export type GateChanges = { readonly [name in GateName]?: Partial<GateOptions[name]> };

/** Where a preset's gates are asked, for those that are not asked at every share. */
export type GateRanges = { readonly [name in GateName]?: ShareRange };

interface PresetText {
  readonly name: string;
  readonly version: number;
  /** One sentence a person reads when the preset is in force. */
  readonly says: string;
  /** Where its gates and numbers come from. */
  readonly from: string;
}

/**
 * A preset as it is written: a base, and what it changes. `extends` names one preset and takes its gates, ladder and
 * way back; `strictestOf` names several and takes the tightest bound of each option. Without either, `gates` start from
 * the defaults of their kinds.
 */
export interface PresetSource extends PresetText {
  readonly extends?: string;
  readonly strictestOf?: readonly string[];
  /** It has gates beside those of another preset, and no error gate of its own. */
  readonly isAddOn?: true;
  readonly gates: GateChanges;
  readonly within?: GateRanges;
  readonly stages?: readonly Stage[];
  /** Beside `stages`: which of them come next is chosen by evidence. */
  readonly pace?: PacePlan;
  readonly onFail?: RolloutPlan["onFail"]["to"];
}

/**
 * A named, versioned set of gates and a ladder for documents that give no steps, with every base resolved. Pure data.
 */
export interface Preset extends PresetText {
  /** It only adds gates: a document that uses it uses another one as well, which gives ladder and way back. */
  readonly isAddOn: boolean;
  readonly gates: Partial<GateOptions>;
  readonly within: GateRanges;
  readonly stages: readonly Stage[];
  readonly pace?: PacePlan;
  /** Where a first failure leads when the document is silent. */
  readonly onFail: RolloutPlan["onFail"]["to"];
}
