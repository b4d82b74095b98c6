/** Randomness as the hotspot sees it: a source of bytes that is handed in, and what is made of it. */

/** Gives that many unpredictable bytes. */
export type RandomBytes = (length: number) => Uint8Array;

/** A number from 0 up to, and without, 1: 32 bits, for pauses. */
export function computeFraction(random: RandomBytes): number {
  const bytes = random(4);
  return (bytes[0]! * 2 ** 24 + bytes[1]! * 2 ** 16 + bytes[2]! * 2 ** 8 + bytes[3]!) / 2 ** 32;
}
