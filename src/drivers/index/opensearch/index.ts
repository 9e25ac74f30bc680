import type { IndexDriverFace } from "../index-driver.ts";
import { openSearchAliases } from "./driver.ts";

export { openSearchAliases } from "./driver.ts";

export const runtime = "node";

/** What hosts know of it. */
export const driver = { product: "opensearch", open: openSearchAliases } satisfies IndexDriverFace;
