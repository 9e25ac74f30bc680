export { memoryStore } from "./driver.ts";

export const runtime = "web";
