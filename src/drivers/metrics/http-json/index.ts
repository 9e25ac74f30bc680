export { tokenFile, type TokenSource } from "../token.ts";
export { httpJson, type HttpJsonConfig } from "./driver.ts";

export const runtime = "node";
