/**
 * SHA-256 of bytes, as 64 hexadecimal digits. Written here because a routing decision is synchronous and runs where
 * there is no package: the platform's digest is asynchronous.
 * @source FIPS 180-4 §6.2, with its published vectors in sha256.test.ts
 */
export function sha256(bytes: Uint8Array): string {
  return [...digestWords(bytes)].map((word) => word.toString(16).padStart(8, "0")).join("");
}

/**
 * HMAC-SHA256 as 64 hexadecimal digits. No step of it depends on the key's content but for its length.
 * @source RFC 2104, with the vectors of RFC 4231 in sha256.test.ts
 */
export function hmacSha256(key: Uint8Array, message: Uint8Array): string {
  const padded = new Uint8Array(64);
  padded.set(key.length > 64 ? bytesOf(digestWords(key)) : key);
  const pad = (by: number) => padded.map((byte) => byte ^ by);
  return sha256(joined(pad(0x5c), bytesOf(digestWords(joined(pad(0x36), message)))));
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return both;
}

function bytesOf(words: Uint32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, at) => {
    view.setUint32(at * 4, word);
  });
  return new Uint8Array(view.buffer);
}

function digestWords(bytes: Uint8Array): Uint32Array {
  const state = INITIAL.slice();
  const padded = pad(bytes);
  const schedule = new Uint32Array(64);
  for (let at = 0; at < padded.byteLength; at += 64) compress(state, schedule, padded, at);
  return state;
}

const [INITIAL, ROUND] = constants();

/** First 32 bits of the fractional parts of square roots (8) and cube roots (64) of the first primes. */
function constants(): readonly [initial: Uint32Array, round: Uint32Array] {
  const primes: number[] = [];
  for (let next = 2; primes.length < 64; next++) if (primes.every((prime) => next % prime !== 0)) primes.push(next);
  const fraction = (root: number) => Math.floor((root - Math.floor(root)) * 2 ** 32);
  const initial = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
  return [Uint32Array.from(initial), Uint32Array.from(primes.map((prime) => fraction(Math.cbrt(prime))))];
}

/** The message, one bit 1, zeros, and its length in bits as 64 bits: a whole number of 64-byte blocks. */
function pad(bytes: Uint8Array): DataView {
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, (bytes.length << 3) >>> 0);
  return view;
}

function compress(state: Uint32Array, w: Uint32Array, block: DataView, from: number): void {
  for (let t = 0; t < 16; t++) w[t] = block.getUint32(from + 4 * t);
  for (let t = 16; t < 64; t++) {
    const [near, far] = [w[t - 2] as number, w[t - 15] as number];
    const s1 = rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10);
    const s0 = rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3);
    w[t] = s1 + (w[t - 7] as number) + s0 + (w[t - 16] as number);
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (ROUND[t] as number) + (w[t] as number)) >>> 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) >>> 0, c, b, a, (t1 + t2) >>> 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] = (state[index] as number) + word;
  });
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
