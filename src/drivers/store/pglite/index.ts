export { migrate, sqlStore } from "./driver.ts";
export { openPgliteMemoryStore, openPgliteStore } from "./open.ts";

export const runtime = "node";
