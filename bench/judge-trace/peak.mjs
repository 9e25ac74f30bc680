// Loaded before the command: says at its end how much memory it held at most.
import { writeSync } from "node:fs";

process.on("exit", () => writeSync(2, `peak ${process.resourceUsage().maxRSS} KiB\n`));
