import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { leaseText, type PlaneReport } from "../../../src/core/routing/lease.ts";
import { kidOf } from "../../../src/core/routing/signature.ts";
import { tokenProof } from "../../../src/plane/proof.ts";
import { aSigner, type TestSigner } from "../../a-signer.ts";

interface Push {
  readonly windows: readonly { readonly seq: number }[];
  readonly adopted: { readonly epoch: number; readonly seq: number };
  readonly plane?: PlaneReport;
}

/**
 * Whoever took the controller's port: it hands out whatever documents it is given, takes telemetry, learns the
 * credential that gateways send it, and renews every lease with that and with a key of its own.
 */
export class Impostor {
  readonly signer: TestSigner;
  /** What the gateways' reports said of documents that they did not take. */
  readonly refused: string[] = [];
  /** Number of the document that was refused last. */
  lastRefused: { readonly epoch: number; readonly seq: number } | null = null;
  pushes = 0;
  grants = 0;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();

  private constructor(signer: TestSigner) {
    this.signer = signer;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async on(port: number): Promise<Impostor> {
    const impostor = new Impostor(await aSigner());
    await new Promise<void>((resolve) => impostor.#server.listen(port, "127.0.0.1", resolve));
    return impostor;
  }

  get followers(): number {
    return this.#streams.size;
  }

  publish(text: string): void {
    for (const stream of this.#streams) stream.write(`event: routing\ndata: ${text}\n\n`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("sluice-version", "2");
    if (request.method === "GET") {
      if (request.headers.accept !== "text/event-stream") return void response.writeHead(404).end();
      this.#streams.add(response.writeHead(200, { "content-type": "text/event-stream" }));
      response.write(": welcome\n\n");
      return;
    }
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { windows, adopted, plane } = JSON.parse(body) as Push;
    this.pushes++;
    if (plane?.refused) {
      const { epoch, seq, reason } = plane.refused;
      this.lastRefused = { epoch, seq };
      this.refused.push(reason);
    }
    const token = String(request.headers.authorization).replace("Bearer ", "");
    const lease = plane === undefined ? null : await this.#lease(plane, adopted, token);
    response.end(JSON.stringify({ acked: windows.at(-1)?.seq, lease }));
  }

  /** A lease that is right in everything but the key. */
  async #lease(plane: PlaneReport, { epoch, seq }: Push["adopted"], token: string): Promise<object> {
    this.grants++;
    const said = { store: this.store, owner: 1_000_000, epoch, seq, digest: plane.digest, ms: 600_000 };
    const text = leaseText(plane.id, plane.nonce, said);
    const { publicKey, sign } = this.signer.current;
    return {
      ...said,
      proof: await tokenProof(token).prove(text),
      kid: kidOf(this.key ?? publicKey),
      signature: await sign(text),
    };
  }

  /** Identity of the store it pretends to own. */
  store = "";
  /** The key it pretends to sign with; null for its own. */
  key: string | null = null;
}
