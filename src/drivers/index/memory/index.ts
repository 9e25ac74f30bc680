export { type MemoryIndexes, memoryIndexAliases } from "./driver.ts";

export const runtime = "web";
