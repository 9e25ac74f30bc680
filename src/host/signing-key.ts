import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ShapeReader } from "../core/routing/shape.ts";
import {
  isPublicKey,
  readSuccession,
  SUCCESSIONS_MAX,
  type Succession,
  successionText,
} from "../core/routing/signature.ts";
import { bytesOf, isSignedBy, publicKeyText, signText } from "../plane/ed25519.ts";
import { hexOf } from "../plane/digest.ts";
import type { DocumentSigner, SigningKey } from "../ports/document-signer.ts";
import { InputError } from "../probe/input-error.ts";
import { writeKnownKeys } from "./known-keys.ts";

/** Where a controller keeps its private key, readable by its owner alone. */
export const SIGNING_KEY_FILE = "signing-key";

interface KeyFile {
  /** PKCS #8 in hexadecimal digits. */
  readonly private: string;
  readonly public: string;
  readonly succession: readonly Succession[];
}

/** A key pair in the form of its file, and what signs with it. */
interface Held {
  readonly file: KeyFile;
  readonly key: SigningKey;
}

/**
 * The key pair of a data directory, made on the first start. Its public half is written beside it for the gateways of
 * the same directory, anew at each start, so that a directory that was put back from a copy speaks with one voice.
 * @returns `isNew` when there was none
 * @throws InputError when the file holds no key pair of ours
 */
export async function openSigningKey(
  dataDir: string,
): Promise<{ readonly signer: DocumentSigner; readonly isNew: boolean }> {
  const path = join(dataDir, SIGNING_KEY_FILE);
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  let held = found === null ? await makePair([]) : await readPair(found, path);
  if (found === null) await writeWhole(path, held.file);
  await announce(dataDir, held);
  return {
    isNew: found === null,
    signer: {
      get current() {
        return held.key;
      },
      async rotate() {
        const next = await makePair(held.file.succession, held.key);
        await writeWhole(path, next.file);
        held = next;
        await announce(dataDir, held);
      },
    },
  };
}

function announce(dataDir: string, { file }: Held): Promise<void> {
  return writeKnownKeys(dataDir, { trusted: [file.public], retired: file.succession.map(({ by }) => by) });
}

async function makePair(past: readonly Succession[], before?: SigningKey): Promise<Held> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("this platform makes no Ed25519 key pair; run Node.js 20.19 or later");
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const secret = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const key = publicKeyText(raw);
  const succession = [...past];
  if (before !== undefined) {
    const by = before.publicKey;
    succession.push({ key, by, signature: await before.sign(successionText({ key, by })) });
  }
  const file = { private: hexOf(secret), public: key, succession: succession.slice(-SUCCESSIONS_MAX) };
  return { file, key: signingKey(file, pair.privateKey) };
}

function signingKey({ public: publicKey, succession }: KeyFile, privateKey: CryptoKey): SigningKey {
  return { publicKey, succession, sign: (text) => signText(privateKey, text) };
}

async function readPair(text: string, path: string): Promise<Held> {
  try {
    const file = readKeyFile(JSON.parse(text));
    if (file === null) throw new TypeError("another shape");
    const privateKey = await crypto.subtle.importKey("pkcs8", bytesOf(file.private), "Ed25519", false, ["sign"]);
    const key = signingKey(file, privateKey);
    if (await isSignedBy(key.publicKey, path, await key.sign(path))) return { file, key };
  } catch {
    // Whatever is wrong with it, nobody can sign with it.
  }
  const found = text.trim() === "" ? "is empty" : "holds no key pair, or halves of two";
  const advice =
    "put it back from a copy of this directory, or remove it: a new key is made, which gateways on other machines have to be told (sluice key show)";
  throw new InputError("file", `${path} ${found}; expected what this controller wrote; ${advice}`);
}

function readKeyFile(json: unknown): KeyFile | null {
  const shape = new ShapeReader("");
  const fields = shape.object(json, "", ["private", "public", "succession"]);
  if (fields === null) return null;
  const file: KeyFile = {
    private: shape.text(fields.private, "private", 400),
    public: shape.text(fields.public, "public", 128),
    succession: readSuccession(shape, fields.succession, 0),
  };
  return shape.problems.length === 0 && isPublicKey(file.public) ? file : null;
}

/** Whole or not at all, and on disk: a key that has handed over must not be found again after a crash. */
async function writeWhole(path: string, file: KeyFile): Promise<void> {
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(file)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, path).catch(async (error: unknown) => {
    await rm(draft, { force: true });
    throw error;
  });
}
