import type { IndexDriverFace } from "../index-driver.ts";
import { typesenseAliases } from "./driver.ts";

export { typesenseAliases } from "./driver.ts";

export const runtime = "node";

/** What hosts know of it. */
export const driver = { product: "typesense", open: typesenseAliases } satisfies IndexDriverFace;
