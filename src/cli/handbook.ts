import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** The handbook, which is the default corpus, and its gold set; both ship with the package. */
export const HANDBOOK = fileURLToPath(new URL("docs/handbook", ROOT));
export const HANDBOOK_GOLD = fileURLToPath(new URL("docs/gold/handbook.yaml", ROOT));
