/**
 * Seeds after genesis: those whom genesis names serve until stake replaces them, one each time trust is computed. Who
 * stakes names, and names its own hotspots: a staker has money to lose and a name to lose it under, needs no vote, and
 * cannot put up a stranger. A seed must be wholly trusted before it is one, so money alone buys none; no owner holds more
 * than a third, and the walk takes the middle of five groups: where there are three seeds, none decides alone.
 */
import { compareBytes, uint64Bytes } from "../bytes/bytes.ts";
import { hashLabelled } from "../crypto/sha256.ts";

/** Seeds of one owner among all: a third that stands together fills two groups of five, which can be outvoted. */
const OWNER_SHARE = 3;

export type SeedRotation = {
  /** The longest serving first. */
  readonly seeds: readonly number[];
  /** How many there are to be: as many as genesis names. */
  readonly places: number;
  /** Of all hotspots whose owners stake: those that may serve and that the graph trusts wholly. */
  readonly candidates: readonly number[];
  readonly ownerOf: (hotspot: number) => number;
  /** Whether a seed may go on: registered, with a place, accused of nothing, and genesis's or a staker's. */
  readonly mayServe: (hotspot: number) => boolean;
  /** The next epoch's seed, 32 bytes: unknown when candidates could still be made. */
  readonly epochSeed: Uint8Array;
};

/**
 * The seeds of the next computation: who may not serve leaves, then the longest serving one, if there is a candidate in
 * its stead; places are filled in the order of `SHA-256(label, seed, index)`: by what no candidate can change when the seed can be computed. With
 * no candidates nobody has to leave.
 */
export function rotateSeeds(rotation: SeedRotation): number[] {
  const { places, ownerOf, epochSeed } = rotation;
  const serving = rotation.seeds.filter(rotation.mayServe);
  const drawn = rotation.candidates
    .filter((hotspot) => !serving.includes(hotspot))
    .map((hotspot) => ({ hotspot, draw: hashLabelled("trust-seed", epochSeed, uint64Bytes(hotspot)) }))
    .sort((a, b) => compareBytes(a.draw, b.draw) || a.hotspot - b.hotspot);
  const most = Math.max(1, Math.floor(places / OWNER_SHARE));
  const fits = (hotspot: number, beside: readonly number[]): boolean =>
    beside.filter((seed) => ownerOf(seed) === ownerOf(hotspot)).length < most;
  // Nobody leaves for a successor who would not fit, nor where another place is still empty.
  const [, ...younger] = serving;
  const isFull = serving.length >= places;
  const seeds = isFull && drawn.some(({ hotspot }) => fits(hotspot, younger)) ? younger : serving;
  for (const { hotspot } of drawn) {
    if (seeds.length >= places) break;
    if (fits(hotspot, seeds)) seeds.push(hotspot);
  }
  return seeds;
}
