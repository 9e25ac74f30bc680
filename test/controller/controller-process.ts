import { startController } from "../../src/host/serve-controller.ts";
import { DriverError } from "../../src/ports/driver-error.ts";

/** A controller as `sluice serve` runs it, without probes: `controller-process DATA_DIR PORT STALL_MS [STORE] [over]`. */
const [dataDir = "", port = "0", stallMs = "20000", url = "", over = ""] = process.argv.slice(2);
const say = (line: string) => process.stderr.write(`${line}\n`);
const started = await startController({
  dataDir,
  host: "127.0.0.1",
  port: Number(port),
  probes: {
    run: () => Promise.reject(new DriverError("unsupported", "never", "no probes in this test")),
    smoke: () => Promise.resolve(null),
  },
  stallMs: Number(stallMs),
  server: url === "" ? null : { url },
  takesOver: over === "over",
  log: say,
  onFatal: (error) => {
    say(`fatal: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
}).catch((error: unknown) => {
  say(`start failed: ${error instanceof Error ? error.message : String(error)}`);
  return process.exit(1);
});
if (started.kind === "taken") {
  say(`taken by process ${started.pid} at ${started.apiUrl}`);
  process.exit(13);
}
if (started.kind === "held") {
  say(`${started.place} is held by ${started.by}`);
  process.exit(13);
}
void started.superseded.then(async ({ text }) => {
  say(`superseded: ${text}`);
  await started.stop();
  process.exit(13);
});
// Before it says that it listens: whoever hears that may stop it at once.
process.once("SIGTERM", () => {
  void started.stop().then(() => process.exit(0));
});
process.stdout.write(`${JSON.stringify({ url: started.url, tokenFile: started.tokenFile })}\n`);
