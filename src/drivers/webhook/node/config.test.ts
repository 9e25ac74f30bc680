import { promises as dns } from "node:dns";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nodeWebhookTransport } from "./index.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the options of the webhook transport", () => {
  it.each([
    [{ allowAddresses: ["10.0.0.1"] }, `allowAddresses holds "10.0.0.1", expected address/prefix`],
    [{ allowAddresses: ["10.0.0.1/8"] }, "no bit behind the prefix"],
    [{ refuseAddresses: ["partners"] }, `refuseAddresses holds "partners"`],
    [{ allowAddresses: ["169.254.0.0/16"] }, "begins link-local (169.254.0.0/16), which cannot be opened"],
    [{ allowAddresses: ["169.254.169.254/32"] }, "begins metadata"],
    [{ allowAddresses: ["::ffff:10.0.0.0/104"] }, "begins ipv4-mapped"],
    [{ allowAddresses: ["64:ff9b::/96"] }, "begins nat64"],
    [{ allowAddresses: ["0.0.0.0/0"] }, "begins unspecified"],
    [{ allowAddresses: ["1.1.1.0/24"] }, "begins public anyway"],
    [{ ports: [443, 0] }, "ports holds 0, expected a whole number"],
    [{ ports: [65_536] }, "ports holds 65536"],
    [{ ports: [443.5] }, "ports holds 443.5"],
  ])("refuses %j and says what was expected", (options, message) => {
    expect(() => nodeWebhookTransport(options)).toThrow(message);
  });

  it("keeps the metadata service inside an allowed block shut", async () => {
    const transport = nodeWebhookTransport({ allowAddresses: ["100.64.0.0/10", "fd00::/8"] });
    const post = (url: string) => transport.post({ url, headers: {}, body: new Uint8Array(), timeoutMs: 100 });
    expect(await post("https://100.100.100.200/")).toMatchObject({ kind: "blocked" });
    expect(await post("https://[fd00:ec2::254]/")).toMatchObject({ kind: "blocked" });
  });

  it("asks the system for all addresses of the absolute name, once, unless given a resolver", async () => {
    const answers = [
      { address: "93.184.216.34", family: 4 },
      { address: "fd00::1", family: 6 },
    ];
    const lookup = vi.spyOn(dns, "lookup").mockResolvedValue(answers as never);
    const post = { url: "https://hooks.example.com/", headers: {}, body: new Uint8Array(), timeoutMs: 1_000 };
    const reason = expect.stringContaining("address fd00::1 is unique-local (fc00::/7)");
    expect(await nodeWebhookTransport().post(post)).toEqual({ kind: "blocked", reason });
    expect(lookup.mock.calls).toEqual([["hooks.example.com.", { all: true, verbatim: true }]]);
  });
});
