import type { Server } from "node:http";

export function startService(port?: number): Promise<Server>;
