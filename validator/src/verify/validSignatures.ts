/** Signatures that were found valid, by a hash over key, signature and message: one that was valid stays valid. */
import { createHash } from "node:crypto";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

export class ValidSignatures {
  readonly #limit: number;
  readonly #names = new Set<string>();

  /** @param limit how many are remembered; beyond, the oldest is forgotten. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * What no other signature of a message is called; null where a length is wrong, since the parts could then be cut
   * otherwise.
   */
  nameOf(publicKey: Uint8Array, signature: Uint8Array, message: readonly Uint8Array[]): string | null {
    if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return null;
    const hash = createHash("sha256").update(publicKey).update(signature);
    for (const part of message) hash.update(part);
    return hash.digest("binary");
  }

  has(name: string | null): boolean {
    return name !== null && this.#names.has(name);
  }

  add(name: string | null): void {
    if (name === null) return;
    this.#names.add(name);
    if (this.#names.size > this.#limit) this.#names.delete(this.#names.values().next().value!);
  }
}
