import type { GateName, GateOptions } from "../../core/gate/options.ts";
import type { Stage } from "../../core/stage/plan.ts";

/** A named, versioned set of gates and a ladder for documents that give no steps. Pure data. */
export interface Preset {
  readonly name: string;
  readonly version: number;
  /** One sentence a person reads when the preset is in force. */
  readonly says: string;
  readonly gates: Partial<GateOptions> & { readonly [name in GateName]?: GateOptions[name] };
  readonly stages: readonly Stage[];
}
