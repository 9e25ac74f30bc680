import { lockDataDirectory } from "../../src/host/data-directory-lock.ts";

/** Takes the lock of the directory it is given, says how that went, and keeps it; `blocked` also stops answering. */
const [dataDir = "", mode = ""] = process.argv.slice(2);
const result = await lockDataDirectory(dataDir);
process.stdout.write(`${JSON.stringify({ kind: result.kind, pid: process.pid })}\n`, () => {
  if (mode === "blocked") for (const end = Date.now() + 20_000; Date.now() < end; );
});
if (result.kind === "held") setInterval(() => {}, 1_000);
