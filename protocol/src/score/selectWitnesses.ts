/**
 * The witness cap: of a beacon's valid witnesses at most 14 (`witnessCap`) are paid, drawn by hashes under a seed that
 * did not exist when they reported. Arrival order would pay fast back-haul; this pays coverage.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { compareBytes } from "../bytes/bytes.ts";

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
  if (witnessKeys.length <= cap) return witnessKeys.map((_, position) => position);
  return orderWitnesses(seed, beaconId, witnessKeys)
    .slice(0, cap)
    .sort((a, b) => a - b);
}

/** All positions in `witnessKeys`, the smallest draw first; see `selectWitnesses`. */
export function orderWitnesses(
  seed: Uint8Array,
  beaconId: Uint8Array,
  witnessKeys: readonly Uint8Array[],
): number[] {
  const positions = witnessKeys.map((_, position) => position);
  if (positions.length < 2) return positions;
  const draws = drawAll(seed, beaconId, witnessKeys);
  return positions.sort(
    (a, b) => compareDraws(draws, a, b) || compareBytes(witnessKeys[a]!, witnessKeys[b]!),
  );
}

const DRAW_BYTES = 32;

/**
 * The hash of every witness, one after the other. Seed and beacon id fill SHA-256's first block of 64 bytes, so their
 * state is computed once and copied, and no draw gets a buffer of its own: half the time, which counts where an epoch's
 * end draws millions.
 */
function drawAll(seed: Uint8Array, beaconId: Uint8Array, witnessKeys: readonly Uint8Array[]): Uint8Array {
  const prefix = sha256.create().update(seed).update(beaconId);
  const hash = sha256.create();
  const draw = new Uint8Array(DRAW_BYTES);
  const draws = new Uint8Array(witnessKeys.length * DRAW_BYTES);
  for (const [position, key] of witnessKeys.entries()) {
    prefix._cloneInto(hash).update(key).digestInto(draw);
    draws.set(draw, position * DRAW_BYTES);
  }
  return draws;
}

/** Order of two draws as byte strings. */
function compareDraws(draws: Uint8Array, a: number, b: number): number {
  for (let i = 0; i < DRAW_BYTES; i++) {
    const difference = draws[a * DRAW_BYTES + i]! - draws[b * DRAW_BYTES + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
