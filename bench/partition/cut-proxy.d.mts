export interface CutProxy {
  readonly url: string;
  cut(): void;
  aim(nextTarget: string): void;
  mend(): void;
  close(): void;
}

export function cutProxy(firstTarget: string): Promise<CutProxy>;
