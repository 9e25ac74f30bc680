/** One kind of hostile client. */
export interface Attack {
  readonly name: string;
  /** Address it comes from. */
  readonly from: string;
  readonly connections: number;
  /** Requests one connection asks at once; only where that is the attack. */
  readonly size?: number;
  readonly attack: unknown;
}

export interface RunningAttack {
  stats(): { readonly open: number; readonly opened: number; readonly asked: number };
  stop(): void;
}

export const ATTACKS: readonly Attack[];
export function begin(attack: Attack, port: number): RunningAttack;
