export interface LoggedRequest {
  readonly i: number;
  readonly arm: "stable" | "candidate";
  readonly status: number;
  readonly ms: number;
  readonly atMs: number;
  readonly hit: boolean;
}
interface Shape {
  readonly count: number;
  readonly seed?: number;
  readonly perSecond?: number;
  readonly startMs?: number;
  readonly slow?: number;
  readonly errors?: number;
}
export function requests(shape: Shape): Iterable<LoggedRequest>;
export const LOGS: Readonly<
  Record<
    string,
    {
      readonly lineOf: (request: LoggedRequest) => string;
      readonly header: string | null;
      readonly isJson: boolean;
      readonly hasLatency: boolean;
    }
  >
>;
