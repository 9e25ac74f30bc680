import { closeOnSignals, type LabOptions, serveLab } from "../../lab/serve.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

/** `sluice lab serve`: one laboratory service until a signal ends it. Prints one JSON line when it is ready. */
export async function labServe(options: LabOptions, terminal: Terminal): Promise<ExitCode> {
  const service = await serveLab(options);
  const { url, health, releaseId, indexHash, sections, chunks } = service;
  const ended = new Promise<ExitCode>((resolve) => {
    closeOnSignals(service, {
      once: (signal, listener) => process.once(signal, listener),
      exit: (code) => resolve(code === 0 ? EXIT.ok : EXIT.interrupted),
    });
  });
  terminal.data(JSON.stringify({ url, health, release_id: releaseId, index_hash: indexHash, sections, chunks }));
  return ended;
}
