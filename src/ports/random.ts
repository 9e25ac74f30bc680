/** The only way to randomness. */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  /** `count` unpredictable bytes. */
  bytes(count: number): Uint8Array;
}
