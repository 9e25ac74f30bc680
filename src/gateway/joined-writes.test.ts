import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinedPieces, joinSmallWrites } from "./joined-writes.ts";

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const piece = fc.oneof(
  latin1.map((chunk) => ({ chunk, encoding: "latin1" })),
  fc.uint8Array().map((bytes) => ({ chunk: Buffer.from(bytes), encoding: "buffer" })),
  fc.constant({ chunk: "", encoding: "utf8" }),
);
const bytesOf = ({ chunk }: { chunk: string | Buffer }) => {
  return typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk;
};

describe("joinedPieces", () => {
  it("has the bytes of all pieces, in their order", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
        const joined = joinedPieces(pieces) ?? expect.fail("not joined");
        expect(Buffer.from(joined, "latin1").equals(Buffer.concat(pieces.map(bytesOf)))).toBe(true);
      }),
    );
  });

  it("leaves text that is more than a byte a character, long messages and streams to the gathered write", () => {
    const head = { chunk: "HTTP/1.1 200 OK\r\n\r\n", encoding: "latin1" };
    expect(joinedPieces([head, { chunk: "é", encoding: "utf8" }])).toBeNull();
    expect(joinedPieces([head, { chunk: Buffer.alloc(16_384), encoding: "buffer" }])).toBeNull();
    expect(joinedPieces([head, head, head, head, head])).toBeNull();
  });
});

describe("joinSmallWrites", () => {
  it("delivers what is written corked, whole and in order, and tells each writer", async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const socket: Socket = connect((address as { port: number }).port, "127.0.0.1");
    joinSmallWrites(socket);
    const told: string[] = [];
    const long = Buffer.alloc(100_000, "z");
    const send = (...pieces: readonly (string | Buffer)[]) => {
      socket.cork();
      for (const one of pieces) socket.write(one, "latin1", () => told.push(String(one.length)));
      socket.uncork();
    };
    send("head ÿ\r\n", Buffer.from([0, 255, 10]), "");
    send("head\r\n", long);
    send("a", "b", "c", "d", "e");
    socket.end();
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    server.close();
    const expected = ["head ÿ\r\n", Buffer.from([0, 255, 10]), "head\r\n", long, "abcde"];
    const bytes = expected.map((one) => (typeof one === "string" ? Buffer.from(one, "latin1") : one));
    expect(Buffer.concat(chunks).equals(Buffer.concat(bytes))).toBe(true);
    expect(told).toEqual(["8", "3", "0", "6", "100000", "1", "1", "1", "1", "1"]);
  });
});
