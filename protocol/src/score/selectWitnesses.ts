/**
 * The witness cap: of a beacon's valid witnesses at most 14 (`witnessCap`) are paid, drawn by hashes under a seed that
 * did not exist when they reported. Arrival order would pay fast back-haul; this pays coverage.
 *
 * A witness is drawn by its index, which it was given at registration and keeps for ever. Its key it may change in the
 * very round in which the seed can be computed, and its report's id it makes itself: either could be tried until it wins.
 */
import { sha256 } from "@noble/hashes/sha2.js";

/**
 * Which witnesses of a beacon are paid: the `cap` smallest `SHA-256(seed || beacon id || witness)`, the witness as an
 * unsigned 64-bit little-endian integer, compared as byte strings; equal ones by index.
 * @param seed 32 bytes: the seed of the epoch after the one in which the beacon closed.
 * @param beaconId 32 bytes.
 * @param witnesses the valid witnesses' indexes, each once.
 * @param cap the network's `witnessCap`.
 * @returns positions in `witnesses`, ascending.
 */
export function selectWitnesses(
  seed: Uint8Array,
  beaconId: Uint8Array,
  witnesses: readonly number[],
  cap: number,
): number[] {
  if (witnesses.length <= cap) return witnesses.map((_, position) => position);
  return orderWitnesses(seed, beaconId, witnesses)
    .slice(0, cap)
    .sort((a, b) => a - b);
}

/** All positions in `witnesses`, the smallest draw first; see `selectWitnesses`. */
export function orderWitnesses(
  seed: Uint8Array,
  beaconId: Uint8Array,
  witnesses: readonly number[],
): number[] {
  const positions = witnesses.map((_, position) => position);
  if (positions.length < 2) return positions;
  const draws = drawAll(seed, beaconId, witnesses);
  return positions.sort((a, b) => compareDraws(draws, a, b) || witnesses[a]! - witnesses[b]!);
}

const DRAW_BYTES = 32;

/**
 * The hash of every witness, one after the other. Seed and beacon id fill SHA-256's first block of 64 bytes, so their
 * state is computed once and copied, and no draw gets a buffer of its own: half the time, which counts where an epoch's
 * end draws millions.
 */
function drawAll(seed: Uint8Array, beaconId: Uint8Array, witnesses: readonly number[]): Uint8Array {
  const prefix = sha256.create().update(seed).update(beaconId);
  const hash = sha256.create();
  const index = new Uint8Array(8);
  const indexView = new DataView(index.buffer);
  const draw = new Uint8Array(DRAW_BYTES);
  const draws = new Uint8Array(witnesses.length * DRAW_BYTES);
  for (const [position, witness] of witnesses.entries()) {
    indexView.setUint32(0, witness, true);
    prefix._cloneInto(hash).update(index).digestInto(draw);
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
