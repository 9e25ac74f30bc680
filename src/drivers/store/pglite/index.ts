export { migrate, sqlStore } from "./driver.ts";
export { openPgliteMemoryStore, openPgliteStore, type PgliteStore } from "./open.ts";
export { copyPgliteStore, restorePgliteStore } from "./restore.ts";
export type { StoredRow } from "./rows.ts";

export const runtime = "node";
