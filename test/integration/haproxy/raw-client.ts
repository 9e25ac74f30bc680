import { connect } from "node:net";

export type RawField = readonly [name: string, value: string | Buffer];

/**
 * Asks once for each list of fields over one connection, which no library of HTTP touches, so that bytes are what they
 * are. @returns the arm that each answer names, or its status where it is no 200
 */
export async function rawArms(url: string, requests: readonly (readonly RawField[])[]): Promise<readonly string[]> {
  const { hostname, port } = new URL(url);
  const arms: string[] = [];
  while (arms.length < requests.length) {
    const before = arms.length;
    arms.push(...(await overOne(Number(port), hostname, requests.slice(before, before + 500))));
  }
  return arms;
}

function overOne(port: number, host: string, requests: readonly (readonly RawField[])[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true });
    const arms: string[] = [];
    let text = "";
    const send = () => {
      const fields = requests[arms.length] as readonly RawField[];
      const lines = fields.map(([name, value]) =>
        Buffer.concat([Buffer.from(`${name}: `), Buffer.from(value), Buffer.from("\r\n")]),
      );
      socket.write(Buffer.concat([Buffer.from("GET /q HTTP/1.1\r\nhost: x\r\n"), ...lines, Buffer.from("\r\n")]));
    };
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? Number.NaN);
      if (text.length < head + 4 + length) return;
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? "no status";
      arms.push(status === "200" ? (/x-sluice-arm: (\w+)/i.exec(text)?.[1] ?? "none") : status);
      text = text.slice(head + 4 + length);
      if (arms.length < requests.length && status !== "400") send();
      else socket.end();
    });
    socket.once("close", () => resolve(arms));
    socket.once("error", reject);
    send();
  });
}
