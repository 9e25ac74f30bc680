import { found } from "./program.js";

declare const console: { log(text: string): void };
console.log(found);
