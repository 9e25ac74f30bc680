/** What one run of the bench saw; counts are answers of the candidate. */
export interface PartitionRun {
  readonly phase: string;
  readonly endedAfterMs: number;
  readonly nearAfter1s: number;
  readonly farAfterLease: number;
  readonly farUntilLease: number;
  readonly afterToldAborted: number;
}

export function partition(options: {
  readonly main: string;
  readonly runs: number;
  readonly leaseMs: number;
  /** What happens to the controller meanwhile; by default nothing, "cut". */
  readonly variant?: "cut" | "killed" | "restored";
  /** Where the controller listens, also when it comes back; by default a port that the system chooses. */
  readonly controllerPort?: number;
  readonly random?: () => number;
  readonly log?: (line: string) => void;
}): Promise<readonly PartitionRun[]>;
