/**
 * How a Merkle tree hashes: many pairs of 32-byte nodes in one call. `protocol` imports nothing native, so a shell
 * that builds large trees passes `hashInto` of @chainsafe/hashtree, which has the same form and is thirty times faster.
 */
import { sha256 } from "../crypto/sha256.ts";

/** Bytes of a node: a SHA-256. */
export const NODE_BYTES = 32;

/** Writes SHA-256 of each 64 bytes of `input` after one another into `output`, which is half as long. */
export type HashPairs = (input: Uint8Array, output: Uint8Array) => void;

/** `HashPairs` in plain JavaScript. */
export const hashPairs: HashPairs = (input, output) => {
  for (let offset = 0; offset < input.length; offset += 2 * NODE_BYTES) {
    output.set(sha256(input.subarray(offset, offset + 2 * NODE_BYTES)), offset / 2);
  }
};
