export { blankMemoryDatabase, openPgliteMemoryStore, openPgliteStore, type PgliteStore } from "./open.ts";
export { copyPgliteStore, restorePgliteStore } from "./restore.ts";

export const runtime = "node";
