/**
 * The validator's own signatures. OpenSSL makes them (30 microseconds against noble's 300; the bytes are the same,
 * RFC 8032 leaves no choice), since a receipt is signed for every parcel.
 */
import { createPrivateKey, sign as nodeSign } from "node:crypto";
import { concatBytes } from "../../protocol/src/bytes/bytes.ts";
import { decodeHex } from "../../protocol/src/bytes/hex.ts";
import { type SignedKind, type SigningDomains, signingMessage } from "../../protocol/src/crypto/domain.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";

/** Signs bodies of one kind under the network's domain. */
export type Signer = {
  readonly publicKey: Uint8Array;
  readonly sign: (kind: SignedKind, body: Uint8Array) => Uint8Array;
  /** Signs a message that carries its domain already. */
  readonly signMessage: (message: Uint8Array) => Uint8Array;
};

/** PKCS #8 before an Ed25519 seed (RFC 8410, section 7): the form in which OpenSSL takes a key. */
const PKCS8_PREFIX = decodeHex("302e020100300506032b657004220420")!;

/** @param secretSeed 32 bytes; any other length is a RangeError. */
export function createSigner(domains: SigningDomains, secretSeed: Uint8Array): Signer {
  const { publicKey } = createKeyPair(secretSeed);
  const der = Buffer.from(concatBytes(PKCS8_PREFIX, secretSeed));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const signMessage = (message: Uint8Array) => new Uint8Array(nodeSign(null, message, key));
  return {
    publicKey,
    sign: (kind, body) => signMessage(signingMessage(domains, kind, body)),
    signMessage,
  };
}
