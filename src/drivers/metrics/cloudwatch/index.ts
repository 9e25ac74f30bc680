export { cloudwatch, type CloudwatchConfig } from "./driver.ts";
export { type AwsCredentials, environmentCredentials } from "./client.ts";

export const runtime = "node";
