/**
 * The witness cap: of a beacon's valid witnesses at most 14 (`witnessCap`) are paid, drawn by hashes under a seed that did not exist when
 * they reported. Arrival order would pay fast back-haul; this pays coverage.
 */
import { compareBytes } from "../bytes/bytes.ts";
import { sha256 } from "../crypto/sha256.ts";

/**
 * Which witnesses of a beacon are paid: the `cap` smallest `SHA-256(seed || beacon id || witness key)`, compared as
 * byte strings, equal ones by key.
 * @param seed 32 bytes: the seed of the epoch after the one in which the beacon closed.
 * @param beaconId 32 bytes.
 * @param witnessKeys the valid witnesses' keys, 32 bytes each, every key once.
 * @param cap the network's `witnessCap`.
 * @returns positions in `witnessKeys`, ascending.
 */
export function selectWitnesses(
  seed: Uint8Array,
  beaconId: Uint8Array,
  witnessKeys: readonly Uint8Array[],
  cap: number,
): number[] {
  const positions = witnessKeys.map((_, position) => position);
  if (witnessKeys.length <= cap) return positions;
  const draws = witnessKeys.map((key) => sha256(seed, beaconId, key));
  positions.sort(
    (a, b) => compareBytes(draws[a]!, draws[b]!) || compareBytes(witnessKeys[a]!, witnessKeys[b]!),
  );
  return positions.slice(0, cap).sort((a, b) => a - b);
}
