/** Who leads a round's views: a permutation that nobody can foresee before the epoch's seed is known. */
import { uint64Bytes } from "../bytes/bytes.ts";
import { hashLabelled } from "../crypto/sha256.ts";

/**
 * The order in which the validators lead the views of a round: a Fisher-Yates shuffle whose draws are hashes of the
 * seed, the round and the place. 48 bits of a hash modulo at most 100 favour no place by more than 1 in 10^12.
 * @param seed of the epoch before the round's, 32 bytes; in epoch 0 that of epoch 0.
 */
export function computeLeaders(seed: Uint8Array, round: number, validators: number): number[] {
  const leaders = Array.from({ length: validators }, (_, position) => position);
  for (let place = validators - 1; place > 0; place--) {
    const hash = hashLabelled("leaders", seed, uint64Bytes(round), uint64Bytes(place));
    const draw = hash.subarray(0, 6).reduce((sum, byte) => sum * 256 + byte, 0) % (place + 1);
    [leaders[place], leaders[draw]] = [leaders[draw]!, leaders[place]!];
  }
  return leaders;
}
