import type { IndexDriverFace } from "../index-driver.ts";
import { qdrantAliases } from "./driver.ts";

export { qdrantAliases } from "./driver.ts";

export const runtime = "node";

/** What hosts know of it. */
export const driver = { product: "qdrant", open: qdrantAliases } satisfies IndexDriverFace;
