/**
 * Base58 with Bitcoin's alphabet, as multibase calls `base58btc`: the text form of keys in `did:key`. Encoding and
 * decoding are inverse: every accepted text is what `encodeBase58` gives for the bytes it decodes to.
 */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/**
 * The most bytes either direction takes. The work grows with the square of the length, and the longest thing the
 * protocol writes so is a key with its two-byte codec, 34 bytes; 64 leaves room for a signature.
 */
export const BASE58_MAX_BYTES = 64;

/** 64 bytes need at most ceil(64 * log 256 / log 58) digits; a leading zero byte is one digit, so this bounds both. */
const MAX_DIGITS = 88;

const DIGIT_OF_CHAR_CODE = new Int8Array(128).fill(-1);
for (let digit = 0; digit < ALPHABET.length; digit++) DIGIT_OF_CHAR_CODE[ALPHABET.charCodeAt(digit)] = digit;

/** Digits that are worked on at once, so that a limb times 256^3, and a carry, is exact in a double. */
const LIMB_DIGITS = 4;
const LIMB = 58 ** LIMB_DIGITS;
/** Bytes that are worked on at once on the way back, for the same reason. */
const WORD = 2 ** 24;
const WORD_BYTES = 3;

/**
 * Multiplies a little-endian number by `factor` and adds `carry`, in place.
 * @returns the number's new length in limbs below `base`.
 */
function multiplyAdd(
  limbs: Float64Array,
  length: number,
  base: number,
  factor: number,
  carry: number,
): number {
  let rest = carry;
  let used = length;
  for (let i = 0; i < used || rest > 0; i++) {
    rest += (i < used ? limbs[i]! : 0) * factor;
    const above = Math.floor(rest / base);
    limbs[i] = rest - above * base;
    rest = above;
    if (i >= used) used = i + 1;
  }
  return used;
}

/** Base58 of at most `BASE58_MAX_BYTES` bytes; a RangeError above that. Each leading zero byte becomes a `1`. */
export function encodeBase58(bytes: Uint8Array): string {
  if (bytes.length > BASE58_MAX_BYTES) throw new RangeError(`base58 takes at most ${BASE58_MAX_BYTES} bytes`);
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  const limbs = new Float64Array(Math.ceil(MAX_DIGITS / LIMB_DIGITS));
  let length = 0;
  for (let i = zeros; i < bytes.length; ) {
    let [word, factor] = [0, 1];
    for (const end = Math.min(i + WORD_BYTES, bytes.length); i < end; i++) {
      word = word * 256 + bytes[i]!;
      factor *= 256;
    }
    length = multiplyAdd(limbs, length, LIMB, factor, word);
  }
  let digits = "";
  for (let i = 0; i < length; i++) {
    let limb = limbs[i]!;
    for (let place = 0; place < LIMB_DIGITS; place++) {
      digits = ALPHABET[limb % 58]! + digits;
      limb = Math.floor(limb / 58);
    }
  }
  // The highest limb is written with all its digits; zeros of the number itself are the leading bytes alone.
  return "1".repeat(zeros) + digits.replace(/^1+/, "");
}

/**
 * Decodes base58 text.
 * @returns null where a character is outside the alphabet, or the bytes would be more than `BASE58_MAX_BYTES`.
 */
export function decodeBase58(text: string): Uint8Array | null {
  if (text.length > MAX_DIGITS) return null;
  let zeros = 0;
  while (zeros < text.length && text[zeros] === "1") zeros++;
  const words = new Float64Array(Math.ceil(MAX_DIGITS / WORD_BYTES));
  let length = 0;
  for (let i = zeros; i < text.length; ) {
    let [limb, factor] = [0, 1];
    for (const end = Math.min(i + LIMB_DIGITS, text.length); i < end; i++) {
      const code = text.charCodeAt(i);
      const digit = code < 128 ? DIGIT_OF_CHAR_CODE[code]! : -1;
      if (digit < 0) return null;
      limb = limb * 58 + digit;
      factor *= 58;
    }
    length = multiplyAdd(words, length, WORD, factor, limb);
  }
  // The highest word has one to three bytes.
  const highest = length === 0 ? 0 : words[length - 1]!;
  const topBytes = highest >= 65_536 ? 3 : highest >= 256 ? 2 : 1;
  const count = length === 0 ? 0 : (length - 1) * WORD_BYTES + topBytes;
  if (zeros + count > BASE58_MAX_BYTES) return null;
  const bytes = new Uint8Array(zeros + count);
  for (let i = 0; i < count; i++) {
    const word = words[Math.floor(i / WORD_BYTES)]!;
    bytes[bytes.length - 1 - i] = Math.floor(word / 256 ** (i % WORD_BYTES)) % 256;
  }
  return bytes;
}
