/**
 * Stands in the bundle for `@chainsafe/as-chacha20poly1305`, the cipher in WebAssembly that Noise takes for short messages:
 * ChaCha20-Poly1305 (RFC 8439, section 2.8) by OpenSSL, which Noise itself takes for long ones. docs/decisions/hotspot-memory.md
 * says what WebAssembly costs.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";

const CIPHER = "chacha20-poly1305";
const TAG_BYTES = 16;

/** There is no module to instantiate. */
export const newInstance = (): null => null;

export class ChaCha20Poly1305 {
  /** Ciphertext and tag. @param key 32 bytes. @param nonce 12 bytes. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associated: Uint8Array = new Uint8Array(),
  ): Uint8Array {
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  }

  /** The plaintext, in `into` where that is given; null where the tag is not that of key, nonce and both texts. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    associated: Uint8Array = new Uint8Array(),
    into?: Uint8Array,
  ): Uint8Array | null {
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return null;
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated, { plaintextLength: length });
    decipher.setAuthTag(sealed.subarray(length));
    const opened = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch {
      return null;
    }
    if (into === undefined) return opened;
    into.set(opened);
    return into;
  }
}
