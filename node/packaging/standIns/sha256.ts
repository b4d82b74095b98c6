/**
 * Stands in the bundle for `@chainsafe/as-sha256`, SHA-256 in WebAssembly. A hotspot takes of it what SSZ allocates with. SSZ's
 * own Merkle trees, which the rest is for, nothing in the bundle computes: asking for one is a bug.
 */
import { createHash } from "node:crypto";

/** Memory that is written whole before it is read. */
export function allocUnsafe(bytes = 0): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.allocUnsafe(bytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** SHA-256, 32 bytes. */
export function digest(data: Uint8Array): Uint8Array {
  return createHash("sha256").update(data).digest();
}

function computeNoTree(): never {
  throw new Error("the bundle computes no Merkle tree of SSZ");
}

export const byteArrayIntoHashObject = computeNoTree;
export const byteArrayToHashObject = computeNoTree;
export const hashObjectToByteArray = computeNoTree;
export const digest64HashObjects = computeNoTree;
