/**
 * What the SSZ packages take from `@chainsafe/as-sha256`, without WebAssembly: the content security policy lets a page
 * compile none, and the package compiles its own as soon as it is loaded. The build puts this module in its place. Reading
 * and writing hash objects stays the package's own code; only hashing is another library's.
 */

import type { HashObject } from "@chainsafe/as-sha256";
import { byteArrayToHashObject, hashObjectToByteArray } from "@chainsafe/as-sha256/lib/hashObject.js";
import { sha256 } from "@noble/hashes/sha2.js";

export {
  byteArrayIntoHashObject,
  byteArrayToHashObject,
  hashObjectToByteArray,
} from "@chainsafe/as-sha256/lib/hashObject.js";

/** @returns `size` bytes; the package's own leaves them uninitialized where it can. */
export function allocUnsafe(size = 0): Uint8Array {
  return new Uint8Array(size);
}

/** SHA-256 of two halves of 32 bytes each. */
export function digest64HashObjects(left: HashObject, right: HashObject): HashObject {
  const input = new Uint8Array(64);
  hashObjectToByteArray(left, input, 0);
  hashObjectToByteArray(right, input, 32);
  return byteArrayToHashObject(sha256(input), 0);
}
