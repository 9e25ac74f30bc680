import { PROMPT } from "../../../spec/known-drivers.ts";
import type { MetricDriver } from "../metric-driver.ts";
import { httpJson } from "./driver.ts";

export { tokenFile, type TokenSource } from "../token.ts";
export { httpJson, type HttpJsonConfig } from "./driver.ts";

export const runtime = "node";

/** What documents and hosts know of it. */
export const driver = {
  product: "http-json",
  times: PROMPT,
  lacks: (metric) =>
    (["candidate", "stable"] as const).flatMap((field) => {
      const query = metric[field];
      if (query === undefined || query.startsWith("/")) return [];
      const message = `"${query}" is no JSON pointer, which http-json asks for`;
      return [{ field, message, fix: 'begin with "/", e.g. /candidate/queue_age' }];
    }),
  open: httpJson,
} satisfies MetricDriver;
