import { EXPRESS } from "./express.ts";
import { FASTIFY } from "./fastify.ts";
import { KOA } from "./koa.ts";
import { LAMBDA } from "./lambda.ts";
import { NEST } from "./nest.ts";
import { NEXT } from "./next.ts";
import { NODE } from "./node.ts";
import { HONO, WEB } from "./web.ts";

export const FRAMEWORKS = [...EXPRESS, ...FASTIFY, ...KOA, ...NEST, NODE, WEB, HONO, NEXT, ...LAMBDA];
