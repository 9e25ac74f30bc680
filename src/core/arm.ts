/** What traffic sees. `shadow` receives copies and never answers a user. */
export type Arm = "stable" | "candidate" | "shadow";

/** The arms that answer users; every request belongs to exactly one. */
export type ServingArm = "stable" | "candidate";

export const SERVING_ARMS: readonly ServingArm[] = ["stable", "candidate"];

/** One value for each serving arm. */
export interface ByArm<T> {
  readonly stable: T;
  readonly candidate: T;
}
