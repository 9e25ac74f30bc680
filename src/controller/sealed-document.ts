import type { RoutingDocument } from "../core/routing/document.ts";
import { contentOf, kidOf, signedTextOf } from "../core/routing/signature.ts";
import type { DocumentSigner } from "../ports/document-signer.ts";

/**
 * A document with the signature of the key in force, whoever signed it before. What it says stays the same, so its
 * number does too. Without a signer, and in a version that has no place for it, it is unsigned.
 */
export async function sealed(document: RoutingDocument, signer: DocumentSigner | null): Promise<RoutingDocument> {
  if (document.version < 2) return document;
  const content = contentOf(document);
  if (signer === null) return { ...content, kid: null, signature: null };
  const { publicKey, succession, sign } = signer.current;
  const past = succession.length === 0 ? {} : { succession };
  const said: RoutingDocument = { ...content, kid: kidOf(publicKey), signature: null, ...past };
  return { ...said, signature: await sign(signedTextOf(said)) };
}
