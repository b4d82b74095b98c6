/**
 * Seeded random numbers for simulations: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2018), its state filled by splitmix32. The same seed gives the same numbers on every machine; nothing
 * secret may ever come from here.
 */

/** A stream of numbers: each call gives the next one, evenly spread over [0, 1) with 53 bits. */
export type Random = () => number;

/** A stream for a seed. @param seed any safe integer, 0 and negative ones included. */
export function createRandom(seed: number): Random {
  const fill = createSplitmix32(mixSeed(seed));
  const next = createXoshiro128([fill(), fill(), fill(), fill()]);
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
}

/** The generator itself: 32-bit unsigned numbers from a state that is not all zero. */
export function createXoshiro128(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

/**
 * A 32-bit seed for one thing among many: a link, a packet at a receiver. The parts' order matters.
 * @param seed any safe integer. @param parts what the thing is called.
 */
export function mixSeed(seed: number, ...parts: readonly (string | number)[]): number {
  let hash = scramble((seed >>> 0) ^ scramble(Math.floor(seed / 2 ** 32) | 0));
  for (const part of parts) {
    if (typeof part === "number") {
      hash = scramble(hash ^ scramble(part | 0));
    } else {
      for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
      hash = scramble(hash ^ part.length);
    }
  }
  return hash >>> 0;
}

/** A number from the standard normal distribution (Box and Muller, 1958); takes two from the stream. */
export function drawGaussian(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

function createSplitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return scramble(state) >>> 0;
  };
}

/** The finaliser of MurmurHash3: every bit of the input moves half of the output's. */
function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
