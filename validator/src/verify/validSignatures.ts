/** Signatures that were found valid, by a hash over key, signature and message: one that was valid stays valid. */
import { createHash } from "node:crypto";
import { ED25519_PUBLIC_KEY_BYTES } from "../../../protocol/src/crypto/ed25519.ts";
import { P256_PUBLIC_KEY_BYTES } from "../../../protocol/src/crypto/p256Form.ts";
import { RecentDigests } from "./recentDigests.ts";

const SIGNATURE_BYTES = 64;

export class ValidSignatures {
  readonly #digests: RecentDigests;

  /** @param capacity how many are remembered, a power of two. */
  constructor(capacity: number) {
    this.#digests = new RecentDigests(capacity);
  }

  /**
   * What no other signature of a message is called; null where a length is wrong, since the parts could then be cut
   * otherwise.
   */
  nameOf(publicKey: Uint8Array, signature: Uint8Array, message: readonly Uint8Array[]): Uint8Array | null {
    const { length } = publicKey;
    if (length !== ED25519_PUBLIC_KEY_BYTES && length !== P256_PUBLIC_KEY_BYTES) return null;
    if (signature.length !== SIGNATURE_BYTES) return null;
    const hash = createHash("sha256").update(Uint8Array.of(length)).update(publicKey).update(signature);
    for (const part of message) hash.update(part);
    return hash.digest();
  }

  has(name: Uint8Array | null): boolean {
    return name !== null && this.#digests.has(name);
  }

  add(name: Uint8Array | null): void {
    if (name !== null) this.#digests.add(name);
  }
}
