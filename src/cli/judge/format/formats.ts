import { alb } from "./alb.ts";
import { cloudflare } from "./cloudflare.ts";
import { cloudfront } from "./cloudfront.ts";
import { envoy } from "./envoy.ts";
import { haproxy } from "./haproxy.ts";
import type { LogFormat } from "./log-format.ts";
import { nginx } from "./nginx.ts";
import { otlp } from "./otlp.ts";
import { vercel } from "./vercel.ts";

/** Access logs that can be judged, by the name `--format` gives them. A format may remember the header of its file. */
export const LOG_FORMATS: Readonly<Record<string, () => LogFormat>> = {
  nginx: () => nginx,
  haproxy: () => haproxy,
  envoy: () => envoy,
  cloudfront,
  alb: () => alb,
  otlp: () => otlp,
  vercel: () => vercel,
  cloudflare: () => cloudflare,
};
