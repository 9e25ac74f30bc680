export interface Asked {
  readonly asked: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function askEvenly(how: {
  readonly port: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly patienceMs?: number;
}): Promise<Asked>;
