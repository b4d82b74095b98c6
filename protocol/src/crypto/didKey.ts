/**
 * `did:key` for Ed25519: the identity of hotspots, validators and accounts wherever people or programs read one. The
 * text is `did:key:z`, then base58btc of the multicodec for Ed25519 public keys and the key's 32 bytes
 * (W3C CCG, "The did:key Method", section 3.1.3; multicodec table, `ed25519-pub` = 0xed as a varint).
 */
import { decodeBase58, encodeBase58 } from "../bytes/base58.ts";
import { concatBytes } from "../bytes/bytes.ts";
import { ED25519_PUBLIC_KEY_BYTES } from "./ed25519.ts";

const PREFIX = "did:key:z";
const ED25519_CODEC = Uint8Array.of(0xed, 0x01);

/** The codec fixes the leading digits, so every Ed25519 did:key has this length: the prefix and 47 digits. */
export const DID_KEY_CHARS = PREFIX.length + 47;

/** @param publicKey 32 bytes; any other length is a RangeError. */
export function encodeDidKey(publicKey: Uint8Array): string {
  if (publicKey.length !== ED25519_PUBLIC_KEY_BYTES) {
    throw new RangeError(`an Ed25519 key has ${ED25519_PUBLIC_KEY_BYTES} bytes, not ${publicKey.length}`);
  }
  return PREFIX + encodeBase58(concatBytes(ED25519_CODEC, publicKey));
}

/**
 * Reads the one text a key has: no other key type, no fragment or query, no white space.
 * @returns the 32 bytes, or null. Whether they are a usable point is for `checkSignatureForm` and the arithmetic.
 */
export function decodeDidKey(text: string): Uint8Array | null {
  if (text.length !== DID_KEY_CHARS || !text.startsWith(PREFIX)) return null;
  const bytes = decodeBase58(text.slice(PREFIX.length));
  if (bytes === null || bytes.length !== ED25519_CODEC.length + ED25519_PUBLIC_KEY_BYTES) return null;
  if (bytes[0] !== ED25519_CODEC[0] || bytes[1] !== ED25519_CODEC[1]) return null;
  return bytes.slice(ED25519_CODEC.length);
}
