export { type DurableObjectFenceConfig, durableObjectFence, type FenceNamespace } from "./driver.ts";
export { FenceObject, type ObjectStorage } from "./object.ts";

/** Where this driver runs. */
export const runtime = "web";
